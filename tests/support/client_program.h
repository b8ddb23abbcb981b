// SPDX-License-Identifier: MIT
#pragma once

#include "support/client_connections.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace handover::test {

/// Commands on standard input, a line each.
class CommandReader {
  public:
    using Obey = std::function<bool(const std::string& command)>;

    /// Reads what is there, and waits when nothing is; passes each whole line to `obey`. False when
    /// `obey` says so, or when the input has ended.
    bool read(const Obey& obey);

  private:
    std::string text_;
};

/// An option of so many milliseconds, with the value it has as its default.
void add_milliseconds(CLI::App& app, const std::string& name, std::chrono::milliseconds& value,
                      const std::string& description);

/// The options that all counting clients take. `options` must outlive `app`.
void add_client_options(CLI::App& app, ClientOptions& options);

/// The rest of main(): reads the command line, lets this process have as many descriptors as it
/// may, and runs. Returns the exit status: 1 when `run` threw, with the reason on standard error.
int run_client(const std::string& name, CLI::App& app, int argc, char** argv,
               const std::function<void()>& run);

}  // namespace handover::test
