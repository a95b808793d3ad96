// libphonenumber's C++ behind a C function, for bench/identity.
#include <cstring>
#include <string>

#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

// The bytes of the E.164 form in `out` (32 bytes), 0 when the text is no valid number.
extern "C" size_t google_phone(const char *text, size_t n, const char *region, char *out) {
  static const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  if (util->Parse(std::string(text, n), region[0] ? region : "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR || !util->IsValidNumber(number))
    return 0;
  std::string e164;
  util->Format(number, PhoneNumberUtil::E164, &e164);
  std::memcpy(out, e164.data(), e164.size());
  return e164.size();
}
