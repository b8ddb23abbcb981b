// SPDX-License-Identifier: MIT
#include "browser/browser.h"

#include "support/processes.h"

#include <httplib.h>

#include <chrono>
#include <stdexcept>

namespace handover::test {
namespace {

using nlohmann::json;

const std::string listens = "started successfully on port ";

/// Without a port of its own chromedriver takes a free one of ::1, and ends when 127.0.0.1 has a
/// connection there: those that tests have closed keep their ports for a minute. So again.
ChildProcess started_driver() {
    std::string said;
    for (int attempt = 0; attempt < 100; ++attempt) {
        ChildProcess driver({"chromedriver", "--port=0"});
        if (driver.wait_for_line(listens, timeout)) return driver;
        (void)driver.wait(timeout);
        said = driver.err();
        if (said.find("Address already in use") == std::string::npos) break;
    }
    throw std::runtime_error("chromedriver does not start: " + said);
}

int port_of(const ChildProcess& driver) {
    return std::stoi(driver.out().substr(driver.out().find(listens) + listens.size()));
}

json capabilities(const Browser::Look& look, const std::string& profile) {
    const auto size = std::to_string(look.width) + "," + std::to_string(look.height);
    json arguments = {"--headless",
                      "--no-sandbox",
                      "--disable-gpu",
                      "--disable-dev-shm-usage",
                      "--disable-quic",
                      "--no-first-run",
                      "--disable-background-networking",
                      "--disable-component-update",
                      "--disable-sync",
                      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                      "--user-data-dir=" + profile,
                      "--window-size=" + size,
                      "about:blank"};
    return {{"browserName", "chrome"},
            {"goog:loggingPrefs", {{"browser", "ALL"}, {"performance", "ALL"}}},
            {"goog:chromeOptions", {{"binary", "/usr/bin/chromium"}, {"args", arguments}}}};
}

}  // namespace

const std::string Browser::tab = "\xee\x80\x84";    // U+E004
const std::string Browser::enter = "\xee\x80\x87";  // U+E007

Browser::Browser(const Look& look) : driver_(started_driver()), port_(port_of(driver_)) {
    const auto wanted = capabilities(look, (directory_ / "profile").string());
    const auto session = send("/session", {{"capabilities", {{"alwaysMatch", wanted}}}});
    session_ = "/session/" + session.at("sessionId").get<std::string>();
    tell_devtools("Emulation.setDeviceMetricsOverride", {{"width", look.width},
                                                         {"height", look.height},
                                                         {"deviceScaleFactor", 1},
                                                         {"mobile", false}});
    const auto feature = [](const char* name, const char* value) {
        return json{{"name", name}, {"value", value}};
    };
    const json features = {
        feature("prefers-color-scheme", look.dark ? "dark" : "light"),
        feature("prefers-reduced-motion", look.reduced_motion ? "reduce" : "no-preference")};
    tell_devtools("Emulation.setEmulatedMedia", {{"features", features}});
    if (!look.script) tell_devtools("Emulation.setScriptExecutionDisabled", {{"value", true}});
}

Browser::~Browser() {
    // Chromium itself is a child of the driver, which ends it.
    if (!session_.empty()) (void)httplib::Client("127.0.0.1", port_).Delete(session_);
}

json Browser::send(const std::string& path, const json& body) {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(std::chrono::duration_cast<std::chrono::seconds>(timeout));
    const auto answer = client.Post(path, body.dump(), "application/json");
    if (!answer) throw std::runtime_error("chromedriver: no answer to " + path);
    auto value = json::parse(answer->body).at("value");
    if (answer->status != 200) throw std::runtime_error("chromedriver: " + path + value.dump());
    return value;
}

void Browser::tell_devtools(const std::string& command, const json& parameters) {
    (void)send(session_ + "/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
}

void Browser::open(const std::string& url) {
    (void)send(session_ + "/url", {{"url", url}});
}

json Browser::run(const std::string& body) {
    return send(session_ + "/execute/sync", {{"script", body}, {"args", json::array()}});
}

std::string Browser::text_of(const std::string& selector) {
    const auto text =
        run("return document.querySelector(" + json(selector).dump() + ")?.innerText ?? null");
    return text.is_string() ? text.get<std::string>() : "(there is no " + selector + ")";
}

bool Browser::comes_true(const std::string& body) {
    return eventually([&] { return run(body) == true; });
}

bool Browser::wait_for_text(const std::string& selector, const std::string& part) {
    return eventually([&] { return text_of(selector).find(part) != std::string::npos; });
}

void Browser::press(const std::string& key) {
    const json actions = {{{"type", "keyDown"}, {"value", key}},
                          {{"type", "keyUp"}, {"value", key}}};
    const json keyboard = {{"type", "key"}, {"id", "keyboard"}, {"actions", actions}};
    (void)send(session_ + "/actions", {{"actions", json::array({keyboard})}});
}

json Browser::log(const std::string& kind) {
    return send(session_ + "/se/log", {{"type", kind}});
}

std::vector<std::string> Browser::console() {
    std::vector<std::string> messages;
    for (const auto& entry : log("browser"))
        messages.push_back(entry.at("message").get<std::string>());
    return messages;
}

std::vector<std::string> Browser::requests() {
    std::vector<std::string> urls;
    for (const auto& entry : log("performance")) {
        const auto event =
            json::parse(entry.at("message").get<std::string>()).value("message", json());
        if (event.value("method", "") == "Network.requestWillBeSent")
            urls.push_back(event.at("params").at("request").at("url").get<std::string>());
    }
    return urls;
}

}  // namespace handover::test
