/* Written by csrc/tables/placeholders.mjs; do not edit. */
#ifndef SC3_PLACEHOLDER_TABLE_H
#define SC3_PLACEHOLDER_TABLE_H

#include <stdint.h>

/* Words that mean "none", in lowercase, by their length: of each length those of anything first, then those of emails and phones. */
static const char SC3_PLACEHOLDERS[][20] = {
  "-", ".", "0", "x", "na", "\\n", "--", "no", "n/a", "#nv", "n.a", "nil", "nan", "tbd", "#na", "inf",
  "n/d", "#n/a", "#n/d", "n.a.", "none", "null", "<na>", "-nan", "-inf", "k.a.", "test", "blank", "empty",
  "k. a.", "(null)", "<null>", "[null]", "(none)", "[none]", "&nbsp;", "{null}", "$null$", "<none>",
  "dbnull", "unknown", "(blank)", "(empty)", "not set", "missing", "no data", "noemail", "#n/a n/a",
  "infinity", "no value", "no email", "no phone", "undefined", "(not set)", "-infinity", "(unknown)",
  "sin datos", "none@none", "na@na.com", "(undefined)", "<undefined>", "[undefined]", "unspecified",
  "n/a@n/a.com", "not provided", "keine angabe", "not available", "#getting_data", "system.dbnull",
  "not specified", "none@none.com", "test@test.com", "not applicable", "[object object]",
  "[object undefined]", "noemail@noemail.com",
};

/* Where the words of a length begin, and where those of anything among them end. */
static const uint8_t SC3_PLACEHOLDERS_START[] = {0, 0, 4, 8, 17, 27, 30, 40, 47, 52, 59, 59, 64, 66, 72, 73, 74, 74, 74, 75, 76};
static const uint8_t SC3_PLACEHOLDERS_GENERAL_END[] = {0, 0, 6, 17, 26, 30, 40, 46, 50, 57, 59, 63, 66, 70, 73, 74, 74, 74, 75, 75, 76};

/* The characters that one begins with: a bit each. */
static const uint64_t SC3_PLACEHOLDER_FIRSTS[2] = {UINT64_C(0x1001615800000000), UINT64_C(0x9386a3418000000)};

/* The SHA-256 of these in several spellings, and of other texts that hold nothing: the first 64 bits of each, in order. */
static const uint64_t SC3_PLACEHOLDER_HASHES[] = {
  UINT64_C(0x01ba4719c80b6fe9), UINT64_C(0x03626549a59abf64), UINT64_C(0x03b73e936b2552df), UINT64_C(0x03dc8297d3d6c83b),
  UINT64_C(0x056c086e803ab165), UINT64_C(0x0937f058d351f6b5), UINT64_C(0x095e25f5f9069a9a), UINT64_C(0x0969f08f8f4a8774),
  UINT64_C(0x098039e61ef20393), UINT64_C(0x0a481a8dc8a8aa0e), UINT64_C(0x0daa723b1acbc89b), UINT64_C(0x0e9e782845062adf),
  UINT64_C(0x0efba003e12f86be), UINT64_C(0x121b078c0b324860), UINT64_C(0x127dccc18b414027), UINT64_C(0x12ae32cb1ec02d01),
  UINT64_C(0x140bedbf9c3f6d56), UINT64_C(0x19db3b34fb63b326), UINT64_C(0x1aef939917215ce7), UINT64_C(0x1bd86e06d9631209),
  UINT64_C(0x1c9e6f54a903f72c), UINT64_C(0x1cdb2d60e7254ae0), UINT64_C(0x1d4a28967f76b4e9), UINT64_C(0x1d8fc6ceb1f94c63),
  UINT64_C(0x1daec9c71ee2a842), UINT64_C(0x1e1780b6bcb2978c), UINT64_C(0x1ea442a134b2a184), UINT64_C(0x1ff160b1d429bea5),
  UINT64_C(0x20ef0f0c8d0eea98), UINT64_C(0x23759997b3c59884), UINT64_C(0x23794d91c53ae875), UINT64_C(0x274d0f75b90e2a68),
  UINT64_C(0x277e0aed2aea8a0c), UINT64_C(0x2874d7800fecae20), UINT64_C(0x28ee051115ff25e3), UINT64_C(0x295f72d6eae69f48),
  UINT64_C(0x2a7e991c0f7a994a), UINT64_C(0x2c3d371cbfd31225), UINT64_C(0x2c98cc3eb74f620b), UINT64_C(0x2d711642b726b044),
  UINT64_C(0x2da59cb5d3b61216), UINT64_C(0x2e1cfa82b035c26c), UINT64_C(0x2f44689981450e4b), UINT64_C(0x2f44d9d0a44fa838),
  UINT64_C(0x2fa929d49a80e817), UINT64_C(0x30b4a58dea34b8bd), UINT64_C(0x31d270bf067689d4), UINT64_C(0x340fe83a111d5387),
  UINT64_C(0x34292f4267fcc405), UINT64_C(0x34eec17ffd8517d3), UINT64_C(0x36a9e7f1c95b82ff), UINT64_C(0x36e54050c71f510b),
  UINT64_C(0x3830af48b6172f78), UINT64_C(0x3865b58fc52e5154), UINT64_C(0x38bf82346bf2eb0b), UINT64_C(0x3973e022e93220f9),
  UINT64_C(0x3a7f3f0dfe0311ba), UINT64_C(0x3b41ba9c7cb8c5d6), UINT64_C(0x3d9fc4bde7ceef05), UINT64_C(0x41ae616098dc844b),
  UINT64_C(0x438bcff3d28ed8d0), UINT64_C(0x44136fa355b3678a), UINT64_C(0x455959d404e61f4e), UINT64_C(0x457700515a083dbd),
  UINT64_C(0x46bf07073bbb3245), UINT64_C(0x485f0207ef2f2885), UINT64_C(0x4895f73177ab5d67), UINT64_C(0x48f70faea211fbd1),
  UINT64_C(0x492b95abbcff8a28), UINT64_C(0x49deac5b53bd8177), UINT64_C(0x4b68ab3847feda7d), UINT64_C(0x4bd0a6a19082ab4c),
  UINT64_C(0x4cb12223d582dcb7), UINT64_C(0x4cb8f570ef856e0b), UINT64_C(0x4ee8d695e2aa5104), UINT64_C(0x4f53cda18c2baa0c),
  UINT64_C(0x4fd0272a5628ce4f), UINT64_C(0x5237c96ac1a23b98), UINT64_C(0x532eaabd9574880d), UINT64_C(0x54a9097b334fb138),
  UINT64_C(0x552e423045fcbd94), UINT64_C(0x57ac0a07423e09a4), UINT64_C(0x58931504914ca792), UINT64_C(0x5b8aa0bf3c59daec),
  UINT64_C(0x5ccd41c437841d07), UINT64_C(0x5d47146ea29bd986), UINT64_C(0x5da3a4c7f1179442), UINT64_C(0x5f8d74c2061d7c39),
  UINT64_C(0x5feceb66ffc86f38), UINT64_C(0x60a28e251e86240a), UINT64_C(0x60a64a4c2aeac6eb), UINT64_C(0x610c35ce19ab75f3),
  UINT64_C(0x666396eb507f8207), UINT64_C(0x67a926f7008e2b0e), UINT64_C(0x69e69621d904f5d0), UINT64_C(0x6a699266c344aa19),
  UINT64_C(0x6b58a904a2b40b5b), UINT64_C(0x6be36ca49ee85210), UINT64_C(0x6c50783043fd2d6a), UINT64_C(0x6db6206ed9a79834),
  UINT64_C(0x6dd79d2964aa21a8), UINT64_C(0x6e591940932e4ebd), UINT64_C(0x6e9c960fd025b2e5), UINT64_C(0x70cfc635638391ea),
  UINT64_C(0x70df647ae95586f4), UINT64_C(0x71064f456fef31c8), UINT64_C(0x715c3e732c1fa9b6), UINT64_C(0x74234e98afe7498f),
  UINT64_C(0x7526c6e7e976745a), UINT64_C(0x756ba1e9802469f5), UINT64_C(0x775d6f99bdddbd9c), UINT64_C(0x776e3f2027cdcbb1),
  UINT64_C(0x778d5d27b716881d), UINT64_C(0x7876ef810b287d25), UINT64_C(0x79368723b8d1a293), UINT64_C(0x79b48be496c9dcd7),
  UINT64_C(0x7b9a68399cded0f3), UINT64_C(0x7eb70257593da06f), UINT64_C(0x7ed4fcc12f90637a), UINT64_C(0x8290b86681ecf225),
  UINT64_C(0x8587db437d62886b), UINT64_C(0x88ca64fc26cfdfd1), UINT64_C(0x8900f40f1543110e), UINT64_C(0x8ab60881072b6272),
  UINT64_C(0x8af1d328d75e91cf), UINT64_C(0x8c1fb05600ceb1ff), UINT64_C(0x8fe7794d43e70acc), UINT64_C(0x9051796028d7f43a),
  UINT64_C(0x90da801c5c519291), UINT64_C(0x91ab5bbca9933063), UINT64_C(0x91f0f5fe0d6976af), UINT64_C(0x9251e2d6e3d0ccd4),
  UINT64_C(0x934d6d2c46babc55), UINT64_C(0x9390298f3fb0c5b1), UINT64_C(0x94ee059335e587e5), UINT64_C(0x984b4fcfed5aad23),
  UINT64_C(0x9b2d5b4678781e53), UINT64_C(0x9f86d081884c7d65), UINT64_C(0x9fa201b69cd7f7c1), UINT64_C(0xa04159a35ef9693e),
  UINT64_C(0xa06007ebed5c3105), UINT64_C(0xa079ce0bee235137), UINT64_C(0xa0daef01ab98f9cb), UINT64_C(0xa1d0ba9a57bb4555),
  UINT64_C(0xa297c3c2aa65102a), UINT64_C(0xa683c5c5349f6f7f), UINT64_C(0xa7f668b3553a2653), UINT64_C(0xa80e516bfb196e1c),
  UINT64_C(0xaa879ebd707b2e41), UINT64_C(0xabe3b00e286fbcec), UINT64_C(0xad3ec78eb0ed503d), UINT64_C(0xaf949d9761ddeade),
  UINT64_C(0xb167b8d233f6fe12), UINT64_C(0xb23a6a8439c0dde5), UINT64_C(0xb2eee2b3c5a36bc8), UINT64_C(0xb2f4207026ae2548),
  UINT64_C(0xb3c9cd491e0d5bb1), UINT64_C(0xb3ef0c8270dc12a1), UINT64_C(0xb460b79e4bfbaefd), UINT64_C(0xb582d3167c70c098),
  UINT64_C(0xb5e1d05449dab223), UINT64_C(0xb764cdc0eab71374), UINT64_C(0xb8bfb51032b3f2d6), UINT64_C(0xba37e4fda3b1244f),
  UINT64_C(0xba80bb21c728e616), UINT64_C(0xbb57ee1e247a851b), UINT64_C(0xbc7bb7c28e798057), UINT64_C(0xbd44d9b1711c71ce),
  UINT64_C(0xbdd34d94a37fc585), UINT64_C(0xc02d28da6607ff20), UINT64_C(0xc07490903eba2c29), UINT64_C(0xc3c513fbfaba1bb1),
  UINT64_C(0xc627c09c14e58e44), UINT64_C(0xc640d5c171d2ed6b), UINT64_C(0xc64ddf11bcd45660), UINT64_C(0xc6a8ef561bb6b687),
  UINT64_C(0xc6c094bc0054f9cb), UINT64_C(0xc9194a0d4f6a3a14), UINT64_C(0xc9a560c74de368dc), UINT64_C(0xc9ffde486ab91372),
  UINT64_C(0xca871b3caae791a6), UINT64_C(0xcc1d2f838445db7a), UINT64_C(0xcc797350372efbf8), UINT64_C(0xcdb4ee2aea69cc6a),
  UINT64_C(0xd0067cad9a63e081), UINT64_C(0xd29a0939bcb51176), UINT64_C(0xd54f0ce7ae1a206d), UINT64_C(0xd5b592c05dc25b50),
  UINT64_C(0xd79987051a2552ac), UINT64_C(0xd7d5eed597748b87), UINT64_C(0xd8156bae0c4243d3), UINT64_C(0xd83b9ff3c07a8390),
  UINT64_C(0xdc12bec5d71f167b), UINT64_C(0xdc1368dc5eac5137), UINT64_C(0xdc937b59892604f5), UINT64_C(0xdd6637d04d5c1392),
  UINT64_C(0xe118b5c29cb4b975), UINT64_C(0xe2f79e5b60330bba), UINT64_C(0xe3e9d436c3558f7a), UINT64_C(0xe5dea42d9c1eb60a),
  UINT64_C(0xe747bac26c1b1013), UINT64_C(0xe99270c4fa9f6ea7), UINT64_C(0xeb045d78d2731073), UINT64_C(0xeb249c03e3cf526f),
  UINT64_C(0xeb34623b71cda2c4), UINT64_C(0xf02dfb7da82a40b0), UINT64_C(0xf07c7a66cd4f48a2), UINT64_C(0xf138bf56fdbc5d20),
  UINT64_C(0xf13f98453f79b8c6), UINT64_C(0xf3f365e8645eb71d), UINT64_C(0xf3f7aedd0c09bc39), UINT64_C(0xf416648f8086113f),
  UINT64_C(0xf53ff223e08330ed), UINT64_C(0xf547e86ec41bb747), UINT64_C(0xf5f56c156623819a), UINT64_C(0xf660ab912ec121d1),
  UINT64_C(0xf850f10e90e92461), UINT64_C(0xf8a887e611fecad9), UINT64_C(0xf9a322a2e5245282), UINT64_C(0xfa1d2db62d4d952e),
  UINT64_C(0xfb259aad25841d6c), UINT64_C(0xfb329000228cc5a2), UINT64_C(0xfb4be80e12144b9c), UINT64_C(0xff71cf74abb3ccb0),
  UINT64_C(0xffa63583dfa6706b),
};

#endif
