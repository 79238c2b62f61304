/* Preloaded into the program: faults at the n-th of the calls that change a folder.

XFERRUN_FAULT=KIND:N with KIND
  count    nothing happens; XFERRUN_FAULT_COUNT names a file that gets the number of calls at the end
  kill     the process is killed before the call
  ENOSPC, EIO, EDQUOT, EROFS    the call fails
  short    a write writes half of its bytes; other calls do as always
  ENOLCK, EOPNOTSUPP, ENOSYS    there are no locks: every call for one fails, N does not matter
XFERRUN_FAULT_FOLDER is the folder; calls that have to do with nothing in it are not counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static atomic_long calls;

static int in_folder(const char* path) {
  const char* folder = getenv("XFERRUN_FAULT_FOLDER");
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_open_in_folder(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return in_folder(path);
}

/* What is to happen to this call: 0, an errno, or -1 for a short write. */
static int fault(void) {
  const long number = atomic_fetch_add(&calls, 1) + 1;
  const char* what = getenv("XFERRUN_FAULT");
  const char* colon = what == NULL ? NULL : strchr(what, ':');
  if (colon == NULL || strtol(colon + 1, NULL, 10) != number) return 0;
  if (strncmp(what, "kill", 4) == 0) {
    raise(SIGKILL);
    pause();
  }
  if (strncmp(what, "ENOSPC", 6) == 0) return ENOSPC;
  if (strncmp(what, "EIO", 3) == 0) return EIO;
  if (strncmp(what, "EDQUOT", 6) == 0) return EDQUOT;
  if (strncmp(what, "EROFS", 5) == 0) return EROFS;
  return strncmp(what, "short", 5) == 0 ? -1 : 0;
}

__attribute__((destructor)) static void tell_count(void) {
  const char* file = getenv("XFERRUN_FAULT_COUNT");
  if (file == NULL) return;
  FILE* out = fopen(file, "w");
  if (out == NULL) return;
  fprintf(out, "%ld\n", (long)calls);
  fclose(out);
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

ssize_t write(int descriptor, const void* bytes, size_t size) {
  const int error = is_open_in_folder(descriptor) ? fault() : 0;
  if (error > 0) {
    errno = error;
    return -1;
  }
  return REAL(ssize_t, "write", int, const void*, size_t)(descriptor, bytes, error < 0 && size > 1 ? size / 2 : size);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
  const int error = is_open_in_folder(descriptor) ? fault() : 0;
  if (error > 0) {
    errno = error;
    return -1;
  }
  return REAL(ssize_t, "pwrite", int, const void*, size_t, off_t)(descriptor, bytes, error < 0 && size > 1 ? size / 2 : size, at);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) { return pwrite(descriptor, bytes, size, at); }

/* A call by descriptor or by name that is no write: it fails, or does as always. */
#define FAILS(condition)                     \
  const int error = (condition) ? fault() : 0; \
  if (error > 0) {                           \
    errno = error;                           \
    return -1;                               \
  }

int fsync(int descriptor) {
  FAILS(is_open_in_folder(descriptor))
  return REAL(int, "fsync", int)(descriptor);
}

int ftruncate(int descriptor, off_t size) {
  FAILS(is_open_in_folder(descriptor))
  return REAL(int, "ftruncate", int, off_t)(descriptor, size);
}

int rename(const char* from, const char* to) {
  FAILS(in_folder(to))
  return REAL(int, "rename", const char*, const char*)(from, to);
}

/* 0, or the errno of every lock. */
static int no_locks(void) {
  const char* what = getenv("XFERRUN_FAULT");
  if (what == NULL) return 0;
  if (strncmp(what, "ENOLCK", 6) == 0) return ENOLCK;
  if (strncmp(what, "EOPNOTSUPP", 10) == 0) return EOPNOTSUPP;
  return strncmp(what, "ENOSYS", 6) == 0 ? ENOSYS : 0;
}

int flock(int descriptor, int operation) {
  if (no_locks() != 0) {
    errno = no_locks();
    return -1;
  }
  return REAL(int, "flock", int, int)(descriptor, operation);
}
