// SPDX-License-Identifier: MIT
// Can everybody read the live page, and go through it?

#include "browser/browser_fixture.h"

#include <csignal>

namespace handover::test {
namespace {

/// The texts that do not stand out from what is behind them as WCAG 2 (AA) wants it.
constexpr auto faint_texts = R"js(
    const channels = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = (rgb) => {
      const [r, g, b] = rgb.map((each) => each / 255)
        .map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (; element; element = element.parentElement) {
        const color = channels(getComputedStyle(element).backgroundColor);
        if (color.length < 4 || color[3] === 1) return color.slice(0, 3);
      }
      return [255, 255, 255];
    };
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let texts = 0;
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
      if (element.closest('script, style, .unseen')) continue;
      ++texts;
      const style = getComputedStyle(element);
      const [a, b] = [luminance(channels(style.color).slice(0, 3)), luminance(behind(element))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const large = parseFloat(style.fontSize) >= 24;
      if (contrast < (large ? 3 : 4.5))
        faint.push(walker.currentNode.data.trim() + ': ' + contrast.toFixed(2));
    }
    return texts < 20 ? ['there are only ' + texts + ' texts'] : faint;
)js";

class PageLooks : public BrowserTest {
  protected:
    /// A service with all that the page can show in colour: a drain, a probation, a failed reload.
    struct Busy {
        Busy(const PageLooks& test)
            : daemon(test.directory_, test.busy_start()),
              request(start_slow_request(daemon, "60s")) {
            std::filesystem::remove(test.program());
            EXPECT_EQ(daemon.reload().status, 1);
            install(handoverd_next_program(), test.program());
            EXPECT_EQ(daemon.reload().status, 0);
        }
        Daemon daemon;
        RawClient request;
    };

    [[nodiscard]] DaemonOptions busy_start() const {
        auto start = with_page(from_copy({"--drain-timeout", "100s"}));
        start.probation = "10min";
        return start;
    }

    /// Runs `look` on the page while a generation drains.
    void expect_no_faint_text(bool dark) const {
        const Busy busy(*this);
        Browser browser({.dark = dark});
        open(browser);
        EXPECT_TRUE(browser.wait_for_text(".chips", "draining"));
        EXPECT_TRUE(browser.wait_for_text(".chips", "on probation"));
        // The colours of the rows arrive slowly.
        EXPECT_TRUE(
            browser.comes_true("return document.getAnimations().every("
                               "each => each.playState === 'finished' || "
                               "each.effect.getTiming().iterations === Infinity)"));
        EXPECT_EQ(browser.run(faint_texts), nlohmann::json::array());
    }
};

TEST_F(PageLooks, have_enough_contrast_in_the_light) {
    expect_no_faint_text(false);
}

TEST_F(PageLooks, have_enough_contrast_in_the_dark) {
    expect_no_faint_text(true);
}

TEST_F(PageLooks, count_a_drain_down) {
    const Busy busy(*this);
    Browser browser;
    open(browser);
    EXPECT_TRUE(browser.wait_for_text("tr.draining", "s left"));
    browser.run("window.first = document.querySelector('tr.draining .role').textContent");
    EXPECT_TRUE(browser.comes_true(
        "return document.querySelector('tr.draining .role').textContent !== first"));
}

TEST_F(PageLooks, fit_on_a_narrow_screen) {
    const Busy busy(*this);
    for (const int width : {360, 700, 1280}) {
        Browser browser({.width = width, .height = 800});
        open(browser);
        EXPECT_TRUE(browser.wait_for_text("tr.draining", "s left"));
        EXPECT_EQ(browser.run("return innerWidth"), width);
        EXPECT_EQ(browser.run("const page = document.documentElement;"
                              "return page.scrollWidth - page.clientWidth"),
                  0)
            << "there is nothing beside what is seen, " << width << " wide";
    }
}

TEST_F(PageLooks, do_not_move_for_those_who_want_none) {
    const Busy busy(*this);
    Browser browser({.reduced_motion = true});
    open(browser);
    EXPECT_EQ(browser.run("return document.getAnimations().length"), 0);
}

TEST_F(PageLooks, let_the_keyboard_go_through_in_the_order_of_reading) {
    const Daemon daemon(directory_, with_page());
    Browser browser;
    open(browser);
    nlohmann::json stops;
    for (int stop = 0; stop < 4; ++stop) {
        browser.press(Browser::tab);
        stops.push_back(
            browser.run("const on = document.activeElement;"
                        "return on.ariaLabel || on.id || on.className || on.textContent"));
        EXPECT_EQ(browser.run("return getComputedStyle(document.activeElement).outlineStyle"),
                  "solid");
    }
    EXPECT_EQ(stops, nlohmann::json({"reload", "wide", "status as JSON", "metrics"}));
}

TEST_F(PageLooks, have_landmarks_headings_and_captions) {
    const Daemon daemon(directory_, with_page());
    Browser browser;
    open(browser);
    for (const auto* once : {"header", "main", "footer", "h1", "[role=log]"})
        EXPECT_EQ(
            browser.run(std::string("return document.querySelectorAll('") + once + "').length"), 1)
            << once;
    EXPECT_EQ(browser.run("return [...document.querySelectorAll('table')].filter("
                          "each => !each.caption || !each.querySelector('th[scope=col]')).length"),
              0);
    EXPECT_EQ(browser.run("return document.querySelectorAll('section:not([aria-labelledby]), "
                          "svg:not([aria-hidden])').length"),
              0);
    EXPECT_EQ(browser.run("return document.documentElement.lang"), "en");
}

}  // namespace
}  // namespace handover::test
