// SPDX-License-Identifier: MIT
#include "handoverd/run_command.h"

#include "handover/anchor.h"
#include "handover/error.h"
#include "handover/inheritance.h"
#include "handover/printable.h"
#include "handoverd/client/commands.h"
#include "handoverd/client/dashboard_command.h"
#include "handoverd/config/check.h"
#include "handoverd/config/options.h"
#include "handoverd/daemon.h"
#include "handoverd/log/journal.h"
#include "handoverd/log/log.h"

#include <sysexits.h>

#include <cstdio>
#include <exception>
#include <string>

namespace handoverd {
namespace {

int fail(int exit_status, const std::string& reason) {
    std::fprintf(stderr, "%shandoverd: %s\n", error_prefix().c_str(),
                 handover::printable(reason).c_str());
    return exit_status;
}

/// A predecessor that started us, if there is one, tells the reason to whoever asked it to, and to
/// the journal.
bool refuse_predecessor(const std::string& reason) {
    try {
        return handover::Inheritance::discover().refuse(reason);
    } catch (const handover::Error&) {
        return false;  // then there was no predecessor that could be told
    }
}

int serve(const Options& options) {
    const Log log(options.log_level);
    return handoverd::serve(options, handover::Inheritance::discover());
}

int run_anchor(const Options& options) {
    const Log log(options.log_level);
    auto anchor = handover::Anchor::resume(options.ledger_fd);
    if (!anchor)
        throw UsageError(
            EX_USAGE, "'handoverd anchor' is what 'handoverd --anchor' becomes, not to be called");
    return anchor->wait(options.generation.drain_timeout,
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
            std::fputs(dashboard_url_help(handover::Endpoint::parse(options.admin)).c_str(),
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

int run_command(int argc, const char* const* argv, const std::string& version) {
    try {
        const auto options = parse_options(argc, argv, version);
        return options ? run(*options) : 0;
    } catch (const UsageError& error) {
        const bool told = refuse_predecessor(error.what());
        if (!told || !stderr_is_the_journal())
            for (const auto& fault : error.faults()) fail(error.exit_status(), fault);
        return error.exit_status();
    } catch (const handover::Error& error) {
        return fail(error.exit_status(), error.what());
    } catch (const std::exception& error) {
        return fail(1, error.what());
    }
}

}  // namespace handoverd
