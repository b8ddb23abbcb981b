// SPDX-License-Identifier: MIT
#include "handoverd/files/content_coding.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handoverd {
namespace {

struct Accepted {
    std::optional<std::string> header;
    int br;
    int gzip;
    int plain;
};

const std::vector<Accepted> table{
    {std::nullopt, 0, 0, 1},
    {"", 0, 0, 1},
    {"gzip", 0, 1000, 1},
    {"gzip, deflate, br", 1000, 1000, 1},
    {"compress, gzip", 0, 1000, 1},
    {"*", 1000, 1000, 1},
    {"compress;q=0.5, gzip;q=1.0", 0, 1000, 1},
    {"gzip;q=1.0, identity; q=0.5, *;q=0", 0, 1000, 500},
    {"br;q=0.001,gzip;q=0.25", 1, 250, 1},
    {"br;q=0, *", 0, 1000, 1},
    {"br ; q=0.8 ,\tGZip;Q=0.123", 800, 123, 1},
    {"x-gzip", 0, 1000, 1},
    {"identity;q=0", 0, 0, 0},
    {"*;q=0", 0, 0, 0},
    {"*;q=0, identity;q=0.1", 0, 0, 100},
    {"gzip, *;q=0", 0, 1000, 0},
    {"gzip;q=0.2, gzip;q=0.7", 0, 700, 1},
    {"gzip;q=1.000", 0, 1000, 1},
    {",, gzip ,,", 0, 1000, 1},
    // What is no weight is none.
    {"gzip;q=1.001", 0, 0, 1},
    {"gzip;q=2", 0, 0, 1},
    {"gzip;q=-1", 0, 0, 1},
    {"gzip;q=0.1234", 0, 0, 1},
    {"gzip;q=.5", 0, 0, 1},
    {"gzip;q=", 0, 0, 1},
    {"gzip;q", 0, 0, 1},
    {"gzip;level=9", 0, 0, 1},
    {"gzip;q=0,5", 0, 0, 1},
    {"br;q=1x, gzip", 0, 1000, 1},
    {"brgzip", 0, 0, 1},
};

TEST(AcceptedCodings, have_the_weights_that_the_client_gives_them) {
    static_assert(content_codings[0].name == "br" && content_codings[1].name == "gzip");
    for (const auto& [header, br, gzip, plain] : table) {
        const AcceptedCodings accepted(header);
        SCOPED_TRACE(header.value_or("no header"));
        EXPECT_EQ(accepted.weight(content_codings[0]), br);
        EXPECT_EQ(accepted.weight(content_codings[1]), gzip);
        EXPECT_EQ(accepted.plain_weight(), plain);
    }
}

}  // namespace
}  // namespace handoverd
