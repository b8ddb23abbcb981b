// SPDX-License-Identifier: MIT
#include "http/receive_buffer.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace handover::http {

void ReceiveBuffer::assign(std::string_view bytes) noexcept {
    clear();
    std::memcpy(bytes_.get(), bytes.data(), bytes.size());
    end_ = bytes.size();
}

ssize_t ReceiveBuffer::fill(int fd) noexcept {
    if (empty()) {
        clear();
    } else if (end_ == capacity_) {
        std::memmove(bytes_.get(), data(), size());
        end_ -= begin_;
        begin_ = 0;
    }
    const std::size_t room = capacity_ - end_;
    if (room == 0) {  // recv() with no room would look like the end of the stream
        errno = ENOBUFS;
        return -1;
    }
    for (;;) {
        const ssize_t count = ::recv(fd, bytes_.get() + end_, room, 0);
        exhausted_ = count < static_cast<ssize_t>(room);
        if (count > 0) end_ += static_cast<std::size_t>(count);
        if (count >= 0 || errno != EINTR) return count;
    }
}

}  // namespace handover::http
