/* Normalising phones and emails, in calls a second on one core. Mixed phones are the inputs of
   spec/oracle/phones.tsv: every region, dressed, damaged and odd; clean ones are the valid answers
   there. Emails are made up. Each line runs in turn, several times, and the best is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef WITH_UNISTRING
#include <unicase.h>
#endif

#include "../csrc/core/identity/email.h"
#include "../csrc/core/identity/phone.h"
#include "../csrc/core/identity/region.h"

enum { MAX = 100000, ROUNDS = 5, EMAILS = 20000 };

typedef struct value {
  const char *p;
  size_t n;
  int region;
  char code[3];
} value;

static value mixed[MAX], clean[MAX], national[MAX], emails[EMAILS], foreign[EMAILS];
static size_t mixed_count, clean_count, national_count;
static unsigned long sink;

static void *need(void *p) {
  if (p == NULL) {
    fputs("not enough memory\n", stderr);
    exit(1);
  }
  return p;
}

static char *copy(const char *p, size_t n) {
  char *c = need(malloc(n + 1));
  memcpy(c, p, n);
  c[n] = '\0';
  return c;
}

static void put(value *list, size_t *count, const char *region, const char *p, size_t n) {
  if (*count == MAX)
    return;
  list[*count].p = copy(p, n);
  list[*count].n = n;
  list[*count].region =
      region[0] ? sc3_region_find(sc3_slice_of(region, strlen(region))) : SC3_NO_REGION;
  snprintf(list[*count].code, sizeof list[*count].code, "%.2s", region);
  (*count)++;
}

/* "\xc3\xa9" -> its bytes, in place. */
static size_t unescape(char *s) {
  char *out = s;
  const char *in = s;
  unsigned byte;
  while (*in != '\0') {
    if (in[0] == '\\' && in[1] == 'x' && sscanf(in + 2, "%2x", &byte) == 1) {
      *out++ = (char)byte;
      in += 4;
    } else {
      *out++ = *in++;
    }
  }
  return (size_t)(out - s);
}

static void read_phones(const char *path) {
  char line[8192];
  FILE *f = fopen(path, "r");
  if (f == NULL) {
    perror(path);
    exit(1);
  }
  while (fgets(line, sizeof line, f) != NULL) {
    char *text = strchr(line, '\t'), *answer = text != NULL ? strchr(text + 1, '\t') : NULL;
    sc3_phone phone;
    value *v;
    if (answer == NULL)
      continue;
    *text++ = '\0';
    *answer++ = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    put(mixed, &mixed_count, line, text, unescape(text));
    if (answer[0] == '\0')
      continue;
    put(clean, &clean_count, line, answer, strlen(answer));
    v = &mixed[mixed_count - 1];
    /* As people write them at home: valid, without a plus, nothing but digits, spaces and the like.
     */
    if (v->n == strspn(v->p, "0123456789 -()./") &&
        sc3_phone_normalize(sc3_slice_of(v->p, v->n), v->region, 0, &phone) == SC3_R_NONE)
      put(national, &national_count, line, v->p, v->n);
  }
  fclose(f);
}

static void make_emails(void) {
  static const char *const first[] = {"anna",   "Bob",    "carla.maria", "d",
                                      "Edward", "fatima", "G.H",         "hiroshi"},
                           *const last[] = {"smith", "O-Brien",      "garcia_lopez",
                                            "Ng",    "van.der.Berg", "Yamamoto"},
                           *const hosts[] = {"example.com", "Mail.Example.org", "a.co",
                                             "long-company-name.example.net"},
                           *const odd[] = {"Ångström", "JOSÉ", "ΣΑΣ", "Иван", "İpek", "Ünal"};
  size_t i;
  for (i = 0; i < EMAILS; i++) {
    char text[128];
    int n = snprintf(text, sizeof text, "%s.%s%u@%s", first[i % 8], last[i / 8 % 6],
                     (unsigned)(i % 977), hosts[i / 48 % 4]);
    emails[i].p = copy(text, (size_t)n);
    emails[i].n = (size_t)n;
    n = snprintf(text, sizeof text, "%s.%s%u@%s", odd[i % 6], last[i / 8 % 6], (unsigned)(i % 977),
                 hosts[i / 48 % 4]);
    foreign[i].p = copy(text, (size_t)n);
    foreign[i].n = (size_t)n;
  }
}

static void our_phone(const value *v) {
  sc3_phone phone;
  if (sc3_phone_normalize(sc3_slice_of(v->p, v->n), v->region, 0, &phone) == SC3_R_NONE)
    sink += phone.n;
}

static void our_email(const value *v) {
  sc3_email email;
  if (sc3_email_normalize(sc3_slice_of(v->p, v->n), 1, &email) == SC3_R_NONE)
    sink += email.n;
}

#ifdef WITH_GOOGLE
size_t google_phone(const char *text, size_t n, const char *region, char *out);
static void google(const value *v) {
  char out[32];
  sink += google_phone(v->p, v->n, v->code, out);
}
#endif

#ifdef WITH_UNISTRING
static void unistring(const value *v) { /* lowercases; neither trims nor validates */
  uint8_t out[512];
  size_t n = sizeof out;
  if (u8_tolower((const uint8_t *)v->p, v->n, NULL, NULL, out, &n) == out)
    sink += n;
}
#endif

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Calls a second of CPU: the best of several rounds of about `seconds` each. */
static double rate(void (*call)(const value *), const value *list, size_t count, double seconds) {
  double best = 0;
  int round;
  for (round = 0; round < ROUNDS; round++) {
    double start = cpu_seconds(), spent, calls = 0;
    do {
      size_t i, some = count < 2000 ? count : 2000, from = (size_t)calls % count;
      for (i = 0; i < some; i++)
        call(&list[(from + i) % count]);
      calls += (double)some;
      spent = cpu_seconds() - start;
    } while (spent < seconds);
    if (calls / spent > best)
      best = calls / spent;
  }
  return best;
}

/* Values that two functions are compared over. */
typedef struct series {
  const char *name;
  const value *list;
  size_t count;
} series;

/* Prints one line. `theirs` may be NULL. */
static void compare(const series *s, double seconds, void (*ours)(const value *),
                    void (*theirs)(const value *)) {
  double mine = rate(ours, s->list, s->count, seconds),
         other = theirs != NULL ? rate(theirs, s->list, s->count, seconds) : 0;
  printf("%-44s %8zu  %10.2f M/s", s->name, s->count, mine / 1e6);
  if (other > 0)
    printf("  %10.3f M/s  %6.1f x", other / 1e6, mine / other);
  printf("\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 0.4;
  void (*cpp)(const value *) = NULL;
  void (*unicode)(const value *) = NULL;
#ifdef WITH_GOOGLE
  cpp = google;
#endif
#ifdef WITH_UNISTRING
  unicode = unistring;
#endif
  read_phones("spec/oracle/phones.tsv");
  make_emails();
  printf("%-44s %8s  %14s  %14s  %8s\n", "", "inputs", "scope3", "library", "ratio");
  compare(&(series){"phones, mixed (beside libphonenumber, C++)", mixed, mixed_count}, seconds,
          our_phone, cpp);
  compare(&(series){"phones, clean: +E.164, every region", clean, clean_count}, seconds, our_phone,
          cpp);
  compare(&(series){"phones, clean: national, every region", national, national_count}, seconds,
          our_phone, cpp);
  compare(&(series){"emails, clean (beside libunistring)", emails, EMAILS}, seconds, our_email,
          unicode);
  compare(&(series){"emails, not ASCII", foreign, EMAILS}, seconds, our_email, unicode);
  return sink == 0;
}
