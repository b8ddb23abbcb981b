// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

namespace handover {

struct InheritedState;

/// How this process was started and what it was given: by a service manager, by its fd store, or by
/// the generation that started this one. It owns every descriptor that came with it, and a
/// Generation takes it. Call discover() first in main(), before there are threads, options or
/// anything else that may change the process or fail.
///
/// Move-only; one that was moved from can only be assigned to or destroyed. Not thread-safe.
class Inheritance {
  public:
    /// Takes over the descriptors that the LISTEN_* variables announce, and removes these variables
    /// (sd_listen_fds(3)). Every one of them is O_CLOEXEC then and closed with this object, unless
    /// a Generation has taken it. Call it once, on the first thread and before any other exists: it
    /// changes the environment, which unsetenv(3) does without a lock.
    ///
    /// It also blocks SIGHUP, SIGUSR1 and SIGUSR2 in the calling thread, so that one that comes
    /// before the Generation exists neither kills the process nor is lost, and raises the soft
    /// RLIMIT_NOFILE to the hard one, to 1,048,576 at most (getrlimit(2)).
    ///
    /// Throws Error: config if what the environment says is wrong, naming the variable and its
    /// value; os if the system refused.
    [[nodiscard]] static Inheritance discover();

    /// Tells the predecessor, if one started this process, why it does not become a generation; a
    /// wrong option, for example. The predecessor serves on and passes the reason to whoever asked
    /// for the handover; untold, it could only report an exit status. Returns false if there is no
    /// predecessor or it could not be told. Does not throw for that. Generation::run() does this by
    /// itself when it throws.
    bool refuse(const std::string& reason) const;

    Inheritance(Inheritance&&) noexcept;
    Inheritance& operator=(Inheritance&&) noexcept;
    /// Closes what no Generation has taken.
    ~Inheritance();

  private:
    friend class Generation;
    friend struct InheritedState;

    explicit Inheritance(InheritedState state);

    std::unique_ptr<InheritedState> state_;
};

}  // namespace handover
