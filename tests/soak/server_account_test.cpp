// SPDX-License-Identifier: MIT
#include "soak/server_account.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace handover::test {
namespace {

TEST(ServerAccount, counts_generations_that_began_and_ended) {
    ServerAccount account;
    account.read(
        "generation 1 (pid 7) serves http on [::]:9999\n"
        "generation 2 (pid 8) took over from 1 in 31 ms\n"
        "generation 2 (pid 8) serves http on [::]:9999\n"
        "rolled back: the successor (pid 8) was killed; generation 1 serves again\n"
        "the new generation ended: held 0\n");
    account.read("generation 1 ended: held 0\n");
    EXPECT_EQ(account.begun(), 2);
    EXPECT_EQ(account.ended(), 1);
    EXPECT_EQ(account.to_sentence(), "held 0");
}

TEST(ServerAccount, adds_up_what_became_of_connections) {
    ServerAccount account;
    account.read(
        "generation 1 ended: held 66 = 64 moved + 1 closed by client + 1 cut at deadline\n"
        "generation 2 ended: held 3 = 2 moved + 1 closed by client\n");
    EXPECT_EQ(account.open(), 69);
    EXPECT_EQ(account.to_sentence(), "held 69 = 2 closed by client + 1 cut at deadline + 66 moved");
    EXPECT_EQ(account.close_reasons().count("still there"), 0U);
}

TEST(ServerAccount, refuses_an_account_that_does_not_add_up) {
    ServerAccount account;
    EXPECT_THROW(account.read("generation 1 ended: held 3 = 2 moved\n"), std::runtime_error);
}

}  // namespace
}  // namespace handover::test
