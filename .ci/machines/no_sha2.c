/* An aarch64 processor without SHA instructions, as far as the system tells: linked with
 * -Wl,--wrap=getauxval. */
#include <sys/auxv.h>

#include <asm/hwcap.h>

unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type);

unsigned long __wrap_getauxval(unsigned long type) {
  unsigned long value = __real_getauxval(type);
  return type == AT_HWCAP ? value & ~(unsigned long)HWCAP_SHA2 : value;
}
