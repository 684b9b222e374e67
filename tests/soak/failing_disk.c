/* Preloaded into a server: calls on files under a directory fail while a control file says so.
 * "f" in it: flushes fail with EIO. "r": writes fail with EROFS, as on a file system that has gone read-only.
 * Each file is copied into another directory whenever it has been flushed, if one is named. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The path of the file if it is one under the directory. */
static int is_ours(int fd, char *path, size_t size)
{
    const char *directory = getenv("PLUM_SOAK_DIRECTORY");
    char link[64];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = directory ? readlink(link, path, size - 1) : -1;
    if (length < 0)
        return 0;
    path[length] = 0;
    return !strncmp(path, directory, strlen(directory)) && path[strlen(directory)] == '/';
}

static int fails(int fd, char mode)
{
    const char *control = getenv("PLUM_SOAK_CONTROL");
    char path[PATH_MAX], said = 0;
    int file = control ? open(control, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t length;

    if (file < 0)
        return 0;
    length = read(file, &said, 1);
    close(file);
    return length == 1 && said == mode && is_ours(fd, path, sizeof path);
}

/* What a power cut would leave of the file: its state as of its last flush. */
static void keep(int fd)
{
    const char *kept = getenv("PLUM_SOAK_FLUSHED");
    char path[PATH_MAX], target[2 * PATH_MAX], unfinished[3 * PATH_MAX], data[1 << 16];
    ssize_t length;
    off_t at = 0;
    int file;

    if (!kept || !is_ours(fd, path, sizeof path))
        return;
    snprintf(target, sizeof target, "%s%s", kept, strrchr(path, '/'));
    snprintf(unfinished, sizeof unfinished, "%s.new", target);
    file = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (; (length = pread(fd, data, sizeof data, at)) > 0; at += length)
        if (write(file, data, length) != length)
            abort();
    close(file);
    rename(unfinished, target);
}

#define FAILING(type, name, mode, error, parameters, ...)             \
    type name parameters                                              \
    {                                                                 \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
        if (!fails(fd, mode))                                         \
            return real(__VA_ARGS__);                                 \
        errno = error;                                                \
        return -1;                                                    \
    }

#define FLUSHING(name)                                                \
    int name(int fd)                                                  \
    {                                                                 \
        int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name);     \
        int result;                                                   \
        if (fails(fd, 'f')) {                                         \
            errno = EIO;                                              \
            return -1;                                                \
        }                                                             \
        result = real(fd);                                            \
        if (!result)                                                  \
            keep(fd);                                                 \
        return result;                                                \
    }

FLUSHING(fsync)
FLUSHING(fdatasync)
FAILING(ssize_t, write, 'r', EROFS, (int fd, const void *data, size_t size), fd, data, size)
FAILING(ssize_t, pwrite, 'r', EROFS, (int fd, const void *data, size_t size, off_t at), fd, data, size, at)
FAILING(ssize_t, pwrite64, 'r', EROFS, (int fd, const void *data, size_t size, off64_t at), fd, data, size, at)
FAILING(int, ftruncate, 'r', EROFS, (int fd, off_t size), fd, size)
FAILING(int, ftruncate64, 'r', EROFS, (int fd, off64_t size), fd, size)
