// SPDX-License-Identifier: MIT
// What the live page does, in a browser.

#include "browser/browser_fixture.h"
#include "process/shell_successor.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <regex>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class Page : public BrowserTest {
  protected:
    /// Notes in the page what it says in this element from now on.
    static void listen_to(Browser& browser, const std::string& id) {
        browser.run(
            "const said = window.said = window.said || {}; const element = "
            "document.getElementById('" +
            id + "'); said['" + id +
            "'] = [];"
            "new MutationObserver(() => said['" +
            id +
            "'].push(element.textContent))"
            ".observe(element, {childList: true, characterData: true, subtree: true});");
    }
    static std::string heard(Browser& browser, const std::string& id) {
        return browser
            .run("return window.said ? window.said['" + id + "'].join('\\n') : '(loaded anew)'")
            .get<std::string>();
    }
    static std::string row_of(int generation) {
        return "tr[data-key='generation-" + std::to_string(generation) + "']";
    }
    /// 22 for "held 23 = 22 moved + 1 last response".
    static int moved_in(const std::string& account) {
        std::smatch match;
        return std::regex_search(account, match, std::regex("(\\d+) moved")) ? std::stoi(match[1])
                                                                             : -1;
    }
    static long count(const std::vector<std::string>& urls, const std::string& url) {
        return std::count(urls.begin(), urls.end(), url);
    }
};

TEST_F(Page, shows_a_reload_under_load_without_being_loaded_anew) {
    Daemon daemon(directory_, with_page());
    Load keeping(daemon.address(), {"--keep-alive", "--connections", "20", "--rate", "200"});
    Browser browser;
    open(browser);
    EXPECT_EQ(browser.text_of("h1"), "Generation 1 is serving");
    EXPECT_TRUE(browser.wait_for_text("#rate", "per second"));
    listen_to(browser, "link");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(browser.wait_for_text("h1", "Generation 2 is serving"));
    EXPECT_TRUE(browser.wait_for_text(row_of(2), "took over from 1"));
    EXPECT_TRUE(browser.wait_for_text(row_of(1), "ended"));
    const auto account = browser.text_of(row_of(1) + " .held");
    EXPECT_GE(moved_in(account), 20) << "those of the load, and some of the browser: " << account;
    EXPECT_TRUE(browser.wait_for_text("tr[data-key^=handover]", "reload"));
    EXPECT_EQ(browser.run("return document.title"), "Generation 2 is serving - handoverd");
    EXPECT_EQ(heard(browser, "link"), "") << "it was never away";
    expect_nothing_lost(keeping);
    expect_clean(browser);
}

TEST_F(Page, follows_the_events_across_handovers) {
    Daemon daemon(directory_, with_page());
    Browser browser;
    open(browser);
    listen_to(browser, "news");
    (void)browser.requests();
    const auto events = site() + "/events";
    for (const auto* successor : {"generation 2", "generation 3"}) {
        EXPECT_EQ(daemon.reload().status, 0);
        EXPECT_TRUE(eventually([&] {
            return heard(browser, "news").find(successor) != std::string::npos;
        })) << successor
            << " in: " << heard(browser, "news");
        EXPECT_TRUE(eventually([&] { return count(browser.requests(), events) > 0; }))
            << "the stream of " << successor << " is asked for";
    }
    EXPECT_EQ(browser.console(), std::vector<std::string>());
}

TEST_F(Page, reloads_by_the_keyboard_and_says_how_that_ended) {
    Daemon daemon(directory_, with_page(from_copy()));
    Browser browser;
    open(browser);
    browser.press(Browser::tab);
    EXPECT_EQ(browser.run("return document.activeElement.textContent"), "Reload now");

    fs::remove(program());
    browser.press(Browser::enter);
    EXPECT_TRUE(browser.wait_for_text("#outcome", "No such file or directory"));
    EXPECT_TRUE(browser.wait_for_text("#outcome", "generation 1 serves on"));
    EXPECT_TRUE(browser.wait_for_text(".fault", "No such file or directory"));
    EXPECT_TRUE(browser.wait_for_text("tr.failed", "No such file or directory"));
    EXPECT_EQ(browser.text_of("h1"), "Generation 1 is serving");

    install(handoverd_next_program(), program());
    EXPECT_EQ(browser.run("return document.activeElement.id"), "reload") << "it kept the focus";
    browser.press(Browser::enter);
    EXPECT_TRUE(browser.wait_for_text("#outcome", "took over from 1"));
    EXPECT_TRUE(browser.wait_for_text("h1", "Generation 2 is serving"));
    EXPECT_TRUE(browser.wait_for_text(".about", "-next"));
    EXPECT_TRUE(browser.comes_true("return !document.querySelector('.fault')"));
}

TEST_F(Page, shows_hostile_text_as_text) {
    Daemon daemon(directory_, with_page(from_copy()));
    Browser browser;
    open(browser);
    const std::string reason = "<img src=x onerror=alert(1)><script>document.title='mine'</script>";
    install_text("#!/bin/sh\n" + shell_says(Message::failed(reason)) + "\n", fs::perms::owner_all,
                 program());
    EXPECT_EQ(daemon.reload().status, 1);
    EXPECT_TRUE(browser.wait_for_text(".fault", reason));
    EXPECT_TRUE(browser.wait_for_text("tr.failed .reason", reason));
    browser.open(url());
    EXPECT_TRUE(browser.wait_for_text(".fault", reason));
    EXPECT_EQ(browser.run("return document.querySelectorAll('img').length"), 0);
    EXPECT_EQ(browser.run("return document.title"), "Generation 1 is serving - handoverd");
    expect_clean(browser);
}

TEST_F(Page, is_a_plain_table_without_a_script) {
    Daemon daemon(directory_, with_page());
    Browser browser({.script = false});
    browser.open(url());
    EXPECT_EQ(browser.text_of("h1"), "Generation 1 is serving");
    EXPECT_NE(browser.text_of(row_of(1)).find("serving"), std::string::npos);
    EXPECT_EQ(browser.text_of("meta[http-equiv=refresh]"), "") << "it is loaded anew by itself";
    EXPECT_EQ(browser.run("return getComputedStyle(document.getElementById('reload')).display"),
              "none")
        << "a button without an effect";
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(browser.wait_for_text("h1", "Generation 2 is serving")) << "by the refresh";
    expect_clean(browser);
}

TEST_F(Page, keeps_focus_selection_and_place_through_a_reload) {
    Daemon daemon(directory_, with_page());
    Browser browser({.width = 700, .height = 300});
    open(browser);
    browser.run(
        "document.querySelector('.wide').focus(); scrollTo(0, 150);"
        "window.kept = document.querySelector('.listeners tbody th').firstChild;"
        "getSelection().selectAllChildren(kept.parentNode)");
    const auto place = browser.run("return scrollY");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(browser.wait_for_text("h1", "Generation 2 is serving"));
    EXPECT_EQ(browser.run("return document.activeElement.className"), "wide");
    EXPECT_EQ(browser.run("return getSelection().toString()"), "http");
    EXPECT_EQ(browser.run("return kept.isConnected"), true);
    EXPECT_EQ(browser.run("return scrollY"), place);
}

TEST_F(Page, says_that_it_reconnects_when_nobody_answers_for_long) {
    Daemon daemon(directory_, with_page());
    Browser browser;
    open(browser);
    daemon.signal(SIGKILL);
    EXPECT_TRUE(browser.wait_for_text("#link", "reconnecting"));
    EXPECT_EQ(browser.text_of("h1"), "Generation 1 is serving") << "what was known last";
}

TEST_F(Page, is_not_put_into_a_frame) {
    const Daemon daemon(directory_, with_page());
    for (const auto* path : {"/", "/live"}) {
        const auto response = RawClient(daemon.admin(), timeout).get(path);
        EXPECT_EQ(response.status, 200) << path;
        const auto policy = response.header("Content-Security-Policy").value_or("");
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos) << policy;
        EXPECT_EQ(response.header("Cache-Control"), "no-store");
        EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff");
    }
}

}  // namespace
}  // namespace handover::test
