// SPDX-License-Identifier: MIT
#include "handover/unique_fd.h"

#include "support/open_descriptors.h"
#include "support/pipe.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace handover::test {
namespace {

int open_something() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static_assert(!std::is_copy_constructible_v<UniqueFd>);
static_assert(!std::is_copy_assignable_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd>);
static_assert(std::is_nothrow_move_assignable_v<UniqueFd>);
static_assert(!std::is_convertible_v<int, UniqueFd>, "taking a descriptor is said aloud");
static_assert(!std::is_convertible_v<UniqueFd, int>);
static_assert(!std::is_convertible_v<UniqueFd, bool>);

TEST(UniqueFd, owns_nothing_at_first) {
    const UniqueFd fd;
    EXPECT_FALSE(fd);
    EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFd, owns_descriptor_zero_too) {
    UniqueFd fd(0);
    EXPECT_TRUE(fd);
    EXPECT_EQ(fd.release(), 0);
}

TEST(UniqueFd, closes_what_it_owns) {
    const int number = open_something();
    {
        const UniqueFd fd(number);
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, moves_the_descriptor_along) {
    UniqueFd from(open_something());
    const int number = from.get();
    const UniqueFd to(std::move(from));
    EXPECT_EQ(to.get(), number);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that it is empty is the promise
    EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, closes_what_it_owned_before_an_assignment) {
    UniqueFd to(open_something());
    UniqueFd from(open_something());
    const int before = to.get();
    const int after = from.get();
    to = std::move(from);
    EXPECT_FALSE(is_open(before));
    EXPECT_EQ(to.get(), after);
    EXPECT_TRUE(is_open(after));
}

TEST(UniqueFd, survives_being_assigned_to_itself) {
    UniqueFd fd(open_something());
    const int number = fd.get();
    auto& same = fd;
    fd = std::move(same);
    EXPECT_EQ(fd.get(), number);
    EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, gives_the_descriptor_up_without_closing_it) {
    UniqueFd fd(open_something());
    const int number = fd.release();
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(number));
    ::close(number);
}

TEST(UniqueFd, closes_on_reset_and_adopts_another) {
    UniqueFd fd(open_something());
    const int before = fd.get();
    const int after = open_something();
    fd.reset(after);
    EXPECT_FALSE(is_open(before));
    EXPECT_EQ(fd.get(), after);
    fd.reset();
    EXPECT_FALSE(is_open(after));
    EXPECT_FALSE(fd);
}

}  // namespace
}  // namespace handover::test
