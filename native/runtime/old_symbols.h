// Included before every source file (CMakeLists.txt): binds functions to the versions that glibc 2.28 and the C++ library of
// GCC 8 have too, so that an addon built on a newer system loads there. The older versions of the three functions of libm
// compute the same values and also set errno. scripts/check-prebuilds.mjs names what else would need a newer system.
#pragma once

__asm__(".symver exp, exp@GLIBC_2.2.5");
__asm__(".symver log, log@GLIBC_2.2.5");
__asm__(".symver pow, pow@GLIBC_2.2.5");
__asm__(".symver _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE, "
        "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
