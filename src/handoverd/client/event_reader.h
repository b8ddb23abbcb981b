// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace handoverd {

/// Reads a stream of server-sent events (WHATWG HTML, "Interpreting an event stream") as it comes
/// in, in pieces of any size. Fields but `event` and `data` are passed over, as comments are.
class EventReader {
  public:
    using Callback = std::function<void(const std::string& event, const std::string& data)>;
    explicit EventReader(Callback on_event) : on_event_(std::move(on_event)) {}

    /// False if the stream makes no sense any more: a line, or an event, without an end.
    [[nodiscard]] bool read(std::string_view bytes);

  private:
    void take_line(std::string_view line);

    Callback on_event_;
    std::string line_;
    bool after_return_ = false;  ///< "\r\n" is one end of a line
    std::string event_;
    std::string data_;
};

}  // namespace handoverd
