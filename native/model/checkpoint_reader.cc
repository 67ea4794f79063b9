#include "model/checkpoint_reader.h"

#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "runtime/error.h"

namespace zero_rl {

namespace {

constexpr int64_t kChunk = int64_t{1} << 18;  // elements converted at a time

// A read-only mapping of a whole file.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw checkpoint_error("Cannot open " + path + ": " + std::strerror(errno));
    size_ = lseek(descriptor, 0, SEEK_END);
    if (size_ < 0) {
      const int seek_error = errno;
      close(descriptor);
      throw checkpoint_error("Cannot read " + path + ": " + std::strerror(seek_error));
    }
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
  store.clear();
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
    const auto width = static_cast<int64_t>(c10::elementSize(dtype));
    const at::Tensor stored = at::empty({std::min(parameter.size, kChunk)}, at::TensorOptions().dtype(dtype));
    for (int64_t start = 0; start < parameter.size; start += kChunk) {
      const int64_t count = std::min(kChunk, parameter.size - start);
      std::memcpy(stored.data_ptr(), data + start * width, static_cast<size_t>(count * width));
      const at::Tensor values = stored.narrow(0, 0, count).to(at::kFloat);
      store.write_masters(parameter.offset + start, count, values.data_ptr<float>());
    }
  }
}

}  // namespace zero_rl
