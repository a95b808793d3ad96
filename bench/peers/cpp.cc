// C++ as one would write it where phones are to be valid: libcsv, libphonenumber, OpenSSL's SHA-256, bodies of 40,000 members.
#include <cctype>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <csv.h>
#include <openssl/sha.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static const std::map<std::string, std::string> CODES = {
  {"United States", "US"}, {"Germany", "DE"}, {"France", "FR"}, {"United Kingdom", "GB"}, {"Norway", "NO"},
  {"Italy", "IT"}, {"Spain", "ES"}, {"Netherlands", "NL"}, {"Sweden", "SE"}, {"Brazil", "BR"}, {"India", "IN"},
  {"Japan", "JP"}, {"Australia", "AU"}, {"Switzerland", "CH"},
};

struct Job {
  std::vector<std::string> row;
  std::size_t field = 0, rows = 0, members = 0, id = 0, email = 0, phone = 0, country = 0;
  std::string body;
  std::FILE *sink = nullptr;
};

static std::string sha256(const std::string &text) {
  static const char HEX[] = "0123456789abcdef";
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char *>(text.data()), text.size(), sum);
  std::string hex;
  for (unsigned char byte : sum) {
    hex += HEX[byte >> 4];
    hex += HEX[byte & 15];
  }
  return hex;
}

static std::string trimmed_lower(const std::string &text) {
  const std::size_t from = text.find_first_not_of(" \t"), to = text.find_last_not_of(" \t");
  std::string out;
  for (std::size_t i = from; from != std::string::npos && i <= to; i++)
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
  return out;
}

static std::string json(const std::string &text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

// The E.164 form, empty when it is no valid number.
static std::string e164(const std::string &text, const std::string &country) {
  static const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
  const auto code = CODES.find(country);
  PhoneNumber number;
  std::string out;
  if (util.Parse(text, code == CODES.end() ? "ZZ" : code->second, &number) == PhoneNumberUtil::NO_PARSING_ERROR &&
      util.IsValidNumber(number))
    util.Format(number, PhoneNumberUtil::E164, &out);
  return out;
}

static void send(Job &job) {
  job.body += "]}]}";
  std::fwrite(job.body.data(), 1, job.body.size(), job.sink);
  job.body.clear();
  job.members = 0;
}

static void add(Job &job) {
  if (job.body.empty())
    job.body = R"({"accountId":"25","audiences":[{"audienceId":"crm","add":[)";
  if (job.members++ > 0)
    job.body += ',';
  job.body += "{\"externalId\":" + json(job.row[job.id]);
  job.body += ",\"hashedEmail\":\"" + sha256(trimmed_lower(job.row[job.email])) + '"';
  const std::string phone = e164(job.row[job.phone], job.row[job.country]);
  if (!phone.empty())
    job.body += ",\"hashedPhone\":\"" + sha256(phone) + '"';
  job.body += '}';
  if (job.members == 40000)
    send(job);
}

static void take_head(Job &job) {
  const std::map<std::string, std::size_t *> wanted = {
    {"Customer Id", &job.id}, {"Email", &job.email}, {"Phone 1", &job.phone}, {"Country", &job.country},
  };
  for (std::size_t i = 0; i < job.field; i++) {
    const auto column = wanted.find(job.row[i]);
    if (column != wanted.end())
      *column->second = i;
  }
}

static void on_field(void *text, std::size_t n, void *data) {
  Job &job = *static_cast<Job *>(data);
  if (job.field == job.row.size())
    job.row.emplace_back();
  job.row[job.field++].assign(static_cast<const char *>(text), n);
}

static void on_row(int, void *data) {
  Job &job = *static_cast<Job *>(data);
  if (job.rows++ == 0)
    take_head(job);
  else
    add(job);
  job.field = 0;
}

int main(int argc, char **argv) {
  std::FILE *source = argc > 1 ? std::fopen(argv[1], "rb") : nullptr;
  Job job;
  csv_parser parser;
  std::vector<char> chunk(1 << 16);
  job.sink = std::fopen("/dev/null", "wb");
  if (source == nullptr || job.sink == nullptr || csv_init(&parser, 0) != 0)
    return 1;
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), source))
    if (csv_parse(&parser, chunk.data(), n, on_field, on_row, &job) != n)
      return 1;
  csv_fini(&parser, on_field, on_row, &job);
  if (!job.body.empty())
    send(job);
  csv_free(&parser);
  return std::fclose(job.sink) == 0 && !std::ferror(source) ? 0 : 1;
}
