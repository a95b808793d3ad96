#include "fork_mark.h"

#include <sys/mman.h>
#include <unistd.h>

#if defined(MADV_WIPEONFORK) && !defined(SC3_PORTABLE) /* Linux 4.14 */
static unsigned char *page_wiped_on_fork(size_t size) {
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return NULL;
  if (madvise(page, size, MADV_WIPEONFORK) == 0)
    return page;
  (void)munmap(page, size);
  return NULL;
}
#else
static unsigned char *page_wiped_on_fork(size_t size) {
  (void)size;
  return NULL;
}
#endif

void sc3_fork_mark_set(sc3_fork_mark *m) {
  m->pid = getpid();
  m->size = (size_t)sysconf(_SC_PAGESIZE);
  m->page = page_wiped_on_fork(m->size);
  if (m->page != NULL)
    *m->page = 1;
}

int sc3_fork_mark_mine(const sc3_fork_mark *m) {
  return m->page != NULL ? *m->page == 1 : m->pid == getpid();
}

void sc3_fork_mark_clear(sc3_fork_mark *m) {
  if (m->page != NULL)
    (void)munmap(m->page, m->size);
  m->page = NULL;
}
