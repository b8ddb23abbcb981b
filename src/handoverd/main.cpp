// SPDX-License-Identifier: MIT
#include "handover/anchor.h"
#include "handover/error.h"
#include "handover/origin.h"
#include "handover/printable.h"
#include "handoverd/check.h"
#include "handoverd/commands.h"
#include "handoverd/daemon.h"
#include "handoverd/dashboard.h"
#include "handoverd/journal.h"
#include "handoverd/log.h"
#include "handoverd/options.h"

#include <sysexits.h>

#include <cstdio>
#include <exception>
#include <string>

namespace {

using handoverd::Command;
using handoverd::Options;

int fail(int exit_status, const std::string& reason) {
    std::fprintf(stderr, "%shandoverd: %s\n", handoverd::error_prefix().c_str(),
                 handover::printable(reason).c_str());
    return exit_status;
}

/// A predecessor that started us, if there is one, tells the reason to whoever asked it to, and to
/// the journal.
bool refuse_predecessor(const std::string& reason) {
    try {
        return handover::Origin::discover().refuse(reason);
    } catch (const handover::Error&) {
        return false;  // then there was no predecessor that could be told
    }
}

int serve(const Options& options) {
    const handoverd::Log log(options.log_level);
    return handoverd::serve(options, handover::Origin::discover());
}

int run_anchor(const Options& options) {
    const handoverd::Log log(options.log_level);
    auto anchor = handover::Anchor::resume(options.ledger_fd);
    if (!anchor)
        throw handoverd::UsageError(
            EX_USAGE, "'handoverd anchor' is what 'handoverd --anchor' becomes, not to be called");
    return anchor->wait(options.drain_timeout,
                        [](const std::string& text) { spdlog::error(text); });
}

int run(const Options& options) {
    switch (options.command) {
        case Command::serve:
            return serve(options);
        case Command::reload:
            return handoverd::reload(options);
        case Command::status:
            return handoverd::status(options);
        case Command::dashboard:
            std::fputs(handoverd::way_to_the_page(handover::Endpoint::parse(options.admin)).c_str(),
                       stdout);
            return 0;
        case Command::check:
            return handoverd::check(options);
        case Command::anchor:
            return run_anchor(options);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto options = handoverd::parse_options(argc, argv);
        return options ? run(*options) : 0;
    } catch (const handoverd::UsageError& error) {
        const bool told = refuse_predecessor(error.what());
        if (!told || !handoverd::stderr_is_the_journal())
            for (const auto& fault : error.faults()) fail(error.exit_status(), fault);
        return error.exit_status();
    } catch (const handover::Error& error) {
        return fail(error.exit_status(), error.what());
    } catch (const std::exception& error) {
        return fail(1, error.what());
    }
}
