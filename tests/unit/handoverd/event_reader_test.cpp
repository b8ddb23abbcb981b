// SPDX-License-Identifier: MIT
#include "handoverd/client/event_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace handoverd {
namespace {

class EventReading : public testing::Test {
  protected:
    /// The events of a stream that comes in pieces of this size, each as "event: data".
    std::vector<std::string> events_in(std::string_view stream, std::size_t piece = 1000) {
        std::vector<std::string> events;
        EventReader reader([&](const std::string& event, const std::string& data) {
            events.push_back(event + ": " + data);
        });
        for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size())))
            EXPECT_TRUE(reader.read(stream.substr(0, piece)));
        return events;
    }
    using Events = std::vector<std::string>;
};

TEST_F(EventReading, takes_events_out_of_pieces_of_any_size) {
    const std::string_view stream =
        "retry: 250\n\nevent: status\ndata: {\"generation\":2}\n\n"
        ": alive\n\nevent: lifecycle\r\nid: 7\r\ndata: x\r\n\r\n";
    const Events expected{"status: {\"generation\":2}", "lifecycle: x"};
    for (std::size_t piece = 1; piece <= stream.size(); ++piece)
        EXPECT_EQ(events_in(stream, piece), expected) << "pieces of " << piece;
}

TEST_F(EventReading, takes_an_event_only_when_its_empty_line_has_come) {
    EXPECT_EQ(events_in("event: status\ndata: x\n"), Events{});
}

TEST_F(EventReading, joins_the_lines_of_one_event) {
    EXPECT_EQ(events_in("data: one\ndata: two\ndata\n\n"), Events{"message: one\ntwo\n"});
}

TEST_F(EventReading, passes_over_comments_unknown_fields_and_events_without_data) {
    EXPECT_EQ(events_in(": data: no\nnothing: x\nevent: status\n\ndata:x\n\n"),
              Events{"message: x"});
}

TEST_F(EventReading, gives_up_what_has_no_end) {
    EventReader reader([](const std::string&, const std::string&) { FAIL(); });
    const std::string piece(1 << 20, 'x');
    EXPECT_TRUE(reader.read("data: " + piece));
    bool goes_on = true;
    for (int i = 0; i < 8 && goes_on; ++i) goes_on = reader.read(piece);
    EXPECT_FALSE(goes_on);
}

}  // namespace
}  // namespace handoverd
