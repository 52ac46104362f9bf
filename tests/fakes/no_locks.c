/* A file system without locks, such as some network mounts: preloaded, it lets flock fail. */
#include <errno.h>

int flock(int file, int operation)
{
    (void)file;
    (void)operation;
    errno = ENOLCK;
    return -1;
}
