// SPDX-License-Identifier: MIT
#pragma once

#include "support/child_process.h"
#include "support/temporary_directory.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace handover::test {

/// A headless Chromium with a profile of its own, driven through chromedriver by the WebDriver
/// protocol. It finds no name but those of this machine. What fails throws std::runtime_error.
class Browser {
  public:
    struct Look {
        int width = 1280;
        int height = 900;
        bool dark = false;
        bool reduced_motion = false;
        bool script = true;  ///< false: pages run none
    };

    Browser() : Browser(Look{}) {}
    explicit Browser(const Look& look);
    ~Browser();
    Browser(const Browser&) = delete;
    Browser& operator=(const Browser&) = delete;

    void open(const std::string& url);
    /// What a function with this body returns in the page.
    nlohmann::json run(const std::string& body);
    /// The text that people see of the first element that this selector fits.
    std::string text_of(const std::string& selector);
    /// Waits until the function returns true; false when `timeout` is over.
    [[nodiscard]] bool comes_true(const std::string& body);
    /// The same for a text that is part of what people see there.
    [[nodiscard]] bool wait_for_text(const std::string& selector, const std::string& part);
    /// As somebody at the keyboard would. A key has a name in the keys of WebDriver.
    void press(const std::string& key);

    /// What has been written to the console, by the page or about it, since it was asked last.
    std::vector<std::string> console();
    /// The URLs that have been asked for since this was asked last.
    std::vector<std::string> requests();

    static const std::string tab;
    static const std::string enter;

  private:
    nlohmann::json send(const std::string& path, const nlohmann::json& body);
    void tell_devtools(const std::string& command, const nlohmann::json& parameters);
    nlohmann::json log(const std::string& kind);

    const TemporaryDirectory directory_;
    ChildProcess driver_;
    const int port_;
    std::string session_;
};

}  // namespace handover::test
