#include "model/checkpoint_reader.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "runtime/error.h"

namespace zero_rl {

namespace {

// A read-only mapping of a whole file.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw checkpoint_error("Cannot open " + path + ": " + std::strerror(errno));
    struct stat status {};
    if (fstat(descriptor, &status) != 0) {
      close(descriptor);
      throw checkpoint_error("Cannot read " + path + ": " + std::strerror(errno));
    }
    size_ = status.st_size;
    data_ = size_ == 0 ? nullptr : mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int map_error = errno;
    close(descriptor);
    if (data_ == MAP_FAILED) throw checkpoint_error("Cannot map " + path + ": " + std::strerror(map_error));
    if (data_ != nullptr) madvise(data_, size_, MADV_SEQUENTIAL);
  }
  ~MappedFile() {
    if (data_ != nullptr && data_ != MAP_FAILED) munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* data() const { return static_cast<const uint8_t*>(data_); }
  int64_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace

at::ScalarType scalar_type(StoredDtype dtype) {
  switch (dtype) {
    case StoredDtype::kFloat32:
      return at::kFloat;
    case StoredDtype::kBfloat16:
      return at::kBFloat16;
    case StoredDtype::kFloat16:
      return at::kHalf;
  }
  return at::kFloat;
}

void load_checkpoint(const ParameterStore& store, const std::vector<TensorSource>& sources) {
  store.master().zero_();  // alignment gaps too
  std::map<std::string, std::unique_ptr<MappedFile>> files;
  for (const TensorSource& source : sources) {
    auto& file = files[source.file];
    if (file == nullptr) file = std::make_unique<MappedFile>(source.file);
    const Parameter& parameter = store.find(source.name);
    const at::ScalarType dtype = scalar_type(source.dtype);
    const int64_t expected = parameter.size * static_cast<int64_t>(c10::elementSize(dtype));
    if (source.byte_length != expected || source.byte_offset < 0 ||
        source.byte_offset > file->size() - source.byte_length) {
      throw checkpoint_error("The tensor " + source.name + " does not lie inside " + source.file +
                             "; the file changed or is incomplete");
    }
    const uint8_t* data = file->data() + source.byte_offset;
    const at::Tensor target = store.master().narrow(0, parameter.offset, parameter.size);
    if (source.byte_offset % static_cast<int64_t>(c10::elementSize(dtype)) == 0) {
      target.copy_(at::from_blob(const_cast<uint8_t*>(data), {parameter.size}, at::TensorOptions().dtype(dtype)));
    } else {
      const at::Tensor aligned = at::empty({parameter.size}, at::TensorOptions().dtype(dtype));
      std::memcpy(aligned.data_ptr(), data, source.byte_length);
      target.copy_(aligned);
    }
  }
  store.round_master(0, store.size());
}

}  // namespace zero_rl
