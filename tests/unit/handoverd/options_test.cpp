// SPDX-License-Identifier: MIT
#include "handoverd/config/options.h"

#include "handoverd/config/duration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace handoverd {
namespace {

using std::chrono::milliseconds;

Options parsed(const std::string& option = "--config", const std::string& value = "/dev/null") {
    const std::array<const char*, 5> argv{"handoverd", "--config", "/dev/null", option.c_str(),
                                          value.c_str()};
    const int count = option == "--config" ? 3 : 5;
    return parse_options(count, argv.data(), "1.2.3").value();
}

std::string default_of(const Options& options, const std::string& name) {
    const auto setting = std::find_if(options.settings.begin(), options.settings.end(),
                                      [&](const Setting& each) { return each.name == name; });
    return setting == options.settings.end() ? "no such option" : setting->values.at(0).text;
}

TEST(Options, that_nobody_gives_are_what_the_libraries_do_by_themselves) {
    const auto options = parsed();
    const handover::GenerationOptions generation;
    const handover::http::ServerOptions http;
    EXPECT_EQ(options.generation.drain_timeout, generation.drain_timeout);
    EXPECT_EQ(options.generation.ready_timeout, generation.ready_timeout);
    EXPECT_EQ(options.generation.probation, generation.probation);
    EXPECT_EQ(options.generation.draining_max, generation.draining_max);
    EXPECT_EQ(options.http.idle_timeout, http.idle_timeout);
    EXPECT_EQ(options.http.threads_max, http.threads_max);
    EXPECT_EQ(default_of(options, "drain-timeout"), duration_text(generation.drain_timeout));
    EXPECT_EQ(default_of(options, "idle-timeout"), duration_text(http.idle_timeout));
    EXPECT_EQ(default_of(options, "draining-max"), std::to_string(generation.draining_max));
    EXPECT_EQ(default_of(options, "threads"), std::to_string(http.threads_max));
}

TEST(Options, that_are_given_are_what_the_libraries_do) {
    EXPECT_EQ(parsed("--drain-timeout", "1ms").generation.drain_timeout, milliseconds(1));
    EXPECT_EQ(parsed("--ready-timeout", "2s").generation.ready_timeout, milliseconds(2'000));
    EXPECT_EQ(parsed("--probation", "3ms").generation.probation, milliseconds(3));
    EXPECT_EQ(parsed("--draining-max", "5").generation.draining_max, 5U);
    EXPECT_EQ(parsed("--idle-timeout", "1min").http.idle_timeout, milliseconds(60'000));
    EXPECT_EQ(parsed("--threads", "6").http.threads_max, 6U);
    EXPECT_EQ(parsed().generation.version, "1.2.3");
}

TEST(Duration, is_written_as_it_can_be_read) {
    for (const auto* text : {"0s", "1ms", "999ms", "1s", "1500ms", "60s", "4294800s"})
        EXPECT_EQ(duration_text(parse_duration(text).value()), text);
    EXPECT_EQ(duration_text(parse_duration("1min").value()), "60s");
}

}  // namespace
}  // namespace handoverd
