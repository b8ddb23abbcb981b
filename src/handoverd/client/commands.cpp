// SPDX-License-Identifier: MIT
#include "handoverd/client/commands.h"

#include "handover/printable.h"
#include "handoverd/client/admin_client.h"
#include "handoverd/client/json_fields.h"
#include "handoverd/client/main_process_watch.h"
#include "handoverd/client/progress_line.h"
#include "handoverd/client/progress_text.h"
#include "handoverd/client/status_screen.h"
#include "handoverd/client/status_watch.h"
#include "handoverd/client/terminal.h"
#include "handoverd/log/journal.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;

/// One line for the terminal, whatever the one who answered has put into it.
template <typename... Arguments>
void say(std::FILE* to, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    const auto line = fmt::format(format, std::forward<Arguments>(arguments)...);
    fmt::print(to, "{}\n", handover::printable(line));
}

AdminClient client_for(const Options& options) {
    const auto& times = options.generation;
    return {options.admin, std::max(times.ready_timeout, times.drain_timeout + times.probation)};
}

/// The answer's JSON, or nullopt after saying why there is none.
std::optional<json> answer_or_fault(const httplib::Result& result, const AdminClient& admin) {
    std::string fault;
    auto answer = admin.answer_in(result, fault);
    if (!answer) say(stderr, "handoverd: {}", fault);
    return answer;
}

httplib::Result send_reload(const AdminClient& admin) {
    const ProgressLine progress(admin);
    return admin.send([&admin](httplib::Client& client) {
        const MainProcessWatch main_process([&admin] { return admin.is_served(); },
                                            [&client] { client.stop(); });
        return client.Post("/reload", "", "application/json");
    });
}

/// When the generation that is asked dies, the question dies with it, and whoever serves then is
/// asked.
httplib::Result await_end_of_probation(const AdminClient& admin) {
    const AdminClient::Request question = [](httplib::Client& client) {
        return client.Get("/status?after=probation");
    };
    const ProgressLine progress(admin);
    auto result = admin.send(question);
    if (!result || result->status != 200) result = admin.send(question);
    return result;
}

std::string reason_or_none(const std::string& reason) {
    return reason.empty() ? "no reason given" : reason;
}

bool survived_probation(const AdminClient& admin, std::int64_t to) {
    const auto answer = answer_or_fault(await_end_of_probation(admin), admin);
    if (!answer) return false;
    if (number_in(*answer, "generation").value_or(0) >= to) return true;
    say(stderr, "{}", reason_or_none(text_in(*answer, "last_handover")));
    return false;
}

/// People like to see the end of it; whoever runs this in a script is told at once.
int wait_for_drain(const AdminClient& admin, std::int64_t from,
                   std::chrono::milliseconds drain_timeout) {
    std::optional<json> status;
    {
        ProgressLine progress(admin);
        status = progress.await_drained(from, drain_timeout + AdminClient::margin);
    }
    if (!status) return 0;
    const auto serves = number_in(*status, "generation");
    if (serves == from) {
        say(stderr, "{}", reason_or_none(text_in(*status, "last_handover")));
        return 1;
    }
    say(stderr, "{}", drain_result(*status, from));
    return 0;
}

}  // namespace

int reload(const Options& options) {
    const auto admin = client_for(options);
    const auto answer = answer_or_fault(send_reload(admin), admin);
    if (!answer) return 1;
    const bool succeeded = answer->value("succeeded", json()) == true;
    // As ExecReload= we would tell the journal what the generation that was asked has told it.
    if (!stderr_is_the_journal())
        say(succeeded ? stdout : stderr, "{}", reason_or_none(text_in(*answer, "message")));
    if (!succeeded) return 1;
    std::fflush(stdout);
    if (!options.wait)
        return wait_for_drain(admin, number_in(*answer, "from").value_or(0),
                              options.generation.drain_timeout);
    const auto to = number_in(*answer, "to").value_or(0);
    if (!survived_probation(admin, to)) return 1;
    say(stdout, "generation {} is the main process: its probation is over", to);
    return 0;
}

int status(const Options& options) {
    const auto admin = client_for(options);
    if (options.watch) return watch_status(admin);
    const auto result = admin.send([](httplib::Client& client) { return client.Get("/status"); });
    const auto answer = answer_or_fault(result, admin);
    if (!answer) return 1;
    if (result->status != 200) {
        say(stderr, "handoverd: {} answers {}: {}", admin.endpoint(), result->status,
            reason_or_none(text_in(*answer, "message")));
        return 1;
    }
    if (options.status_as_json)
        // In ASCII, JSON escapes all that printable() would.
        fmt::print("{}\n", answer->dump(2, ' ', /*ensure_ascii=*/true));
    else
        fmt::print("{}", status_screen(*answer, output_style_of(STDOUT_FILENO), now_of(*answer)));
    return 0;
}

}  // namespace handoverd
