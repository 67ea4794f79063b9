// What newer versions of glibc and the C++ library define for themselves and the lowest supported ones lack.
#include <sstream>

// std::shared_ptr counts without atomics where glibc says that there is one thread; here there never is.
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}

#if defined(_GLIBCXX_RELEASE) && _GLIBCXX_RELEASE >= 11
template std::string std::basic_stringbuf<char>::str() const&;
#endif
