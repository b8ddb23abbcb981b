// SPDX-License-Identifier: MIT
#pragma once

#include "browser/browser.h"
#include "process/process_fixture.h"
#include "support/listening.h"

#include <string>
#include <vector>

namespace handover::test {

/// A test with a handoverd whose admin listener a browser can ask: a TCP one, on a free port.
class BrowserTest : public ProcessTest {
  protected:
    /// The daemon inherits the listener, which has a port already.
    [[nodiscard]] DaemonOptions with_page(DaemonOptions start) const {
        start.admin = admin_.endpoint().to_string();
        start.process.inherited = {{"admin", admin_.fd()}};
        return start;
    }
    [[nodiscard]] DaemonOptions with_page() const { return with_page(with_options({})); }
    [[nodiscard]] std::string site() const { return "http://" + admin_.endpoint().to_string(); }
    [[nodiscard]] std::string url() const { return site() + "/"; }

    /// Opens the page and waits until it is kept up to date.
    void open(Browser& browser) const {
        browser.open(url());
        EXPECT_TRUE(browser.wait_for_text("#link", "live"));
    }

    void expect_clean(Browser& browser) const {
        EXPECT_EQ(browser.console(), std::vector<std::string>());
        // The browser has pages of its own, chrome:// and the like, which nobody is asked for.
        for (const auto& asked : browser.requests())
            EXPECT_TRUE(asked.starts_with(url()) ||
                        !(asked.starts_with("http") || asked.starts_with("ws")))
                << asked;
    }

    const ListeningSocket admin_{"127.0.0.1:0"};
};

}  // namespace handover::test
