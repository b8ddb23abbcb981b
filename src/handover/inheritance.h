// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

namespace handover {

struct InheritedState;

/// Where this process comes from: how it was started and what it was given. The first thing in
/// main(), before threads, options or anything else that may change or fail. Move-only.
class Inheritance {
  public:
    /// Takes the inherited descriptors and the LISTEN_* variables away from the process, and owns
    /// the descriptors (sd_listen_fds(3)). Blocks the signals that ask for a handover or a restart
    /// in the calling thread, so that one that comes too early is not lost and does not kill.
    /// Raises the soft RLIMIT_NOFILE to the hard one.
    /// Throws Error: what is in the environment makes no sense (config), or the system refused.
    [[nodiscard]] static Inheritance discover();

    /// Tells a predecessor, if there is one, why this generation does not start. It reports that
    /// to whoever asked for the handover; otherwise all it could say is "exited with status 78".
    /// False if nobody has been told.
    bool refuse(const std::string& reason) const;

    explicit Inheritance(InheritedState found);
    Inheritance(Inheritance&&) noexcept;
    Inheritance& operator=(Inheritance&&) noexcept;
    ~Inheritance();

  private:
    friend class Generation;

    std::unique_ptr<InheritedState> found_;
};

}  // namespace handover
