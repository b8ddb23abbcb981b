// SPDX-License-Identifier: MIT
#include "bench/bars.h"

#include "bench/format.h"

#include <optional>

namespace handover::bench {
namespace {

class Judge {
  public:
    explicit Judge(const Results& results) : results_(results) {}

    /// Nothing may be lost, in no round.
    void none(const std::string& what, const std::string& measurement,
              const std::string& quantity) {
        exactly(what, measurement, quantity, 0);
    }

    void exactly(const std::string& what, const std::string& measurement,
                 const std::string& quantity, double required) {
        const auto spread = results_.spread(measurement, ours, quantity);
        if (!spread) return;
        const bool passed = spread->min == required && spread->max == required;
        verdicts_.push_back(
            {what, number(required, 0), cell(*spread, 0), Verdict::Kind::lost, passed});
    }

    void at_most(const std::string& what, const std::string& measurement,
                 const std::string& quantity, double limit) {
        const auto spread = results_.spread(measurement, ours, quantity);
        if (!spread) return;
        verdicts_.push_back({what, "≤ " + number(limit, 0) + " ms", cell(*spread, 1) + " ms",
                             Verdict::Kind::bar, spread->median <= limit});
    }

    void ratio_to(const std::string& peer, double least, Verdict::Kind kind) {
        constexpr auto quantity = "requests per CPU-second";
        const auto mine = results_.spread("throughput", ours, quantity);
        const auto other = results_.spread("throughput", peer, quantity);
        if (!mine || !other) return;
        const double ratio = mine->median / other->median;
        verdicts_.push_back({"requests per CPU-second, × " + peer, "≥ " + number(least, 1),
                             number(ratio, 2), kind, ratio >= least});
    }

    [[nodiscard]] std::vector<Verdict> verdicts() && { return std::move(verdicts_); }

  private:
    const Results& results_;
    std::vector<Verdict> verdicts_;
};

}  // namespace

std::vector<Verdict> judge(const Results& results, std::size_t idle_connections) {
    const auto all_idle = static_cast<double>(idle_connections);
    Judge judge(results);
    judge.ratio_to("cpp-httplib, stock", 1.5, Verdict::Kind::bar);
    judge.ratio_to("Go net/http, tutorial", 1.2, Verdict::Kind::bar);
    judge.ratio_to("nginx, HUP", 1.0, Verdict::Kind::goal);
    judge.none("throughput: failed", "throughput", "failed");
    for (const auto& [verb, limit] : {std::pair("reload", 50.0), std::pair("restart", 100.0)}) {
        for (const auto& [name, prefix] :
             {std::pair("at a fixed rate", "rate: "), std::pair("under full load", "full: ")}) {
            const std::string what = std::string(verb) + " " + name;
            const std::string quantity(prefix);
            judge.none(what + ": failed", verb, quantity + "failed");
            judge.none(what + ": reconnects", verb, quantity + "reconnects");
            judge.none(what + ": commands failed", verb, quantity + "commands failed");
            judge.at_most(what + ": worst latency", verb, quantity + "worst ms", limit);
        }
    }
    const std::string idle = number(all_idle, 0) + " idle connections: ";
    judge.exactly(idle + "answered after reload and restart", "idle", "answered after both",
                  all_idle);
    judge.exactly(idle + "answered after reload", "idle", "answered after reload", all_idle);
    judge.at_most(idle + "reload", "idle", "reload ms", 200);
    judge.at_most(idle + "restart", "idle", "restart ms", 300);
    return std::move(judge).verdicts();
}

std::string describe_control(const Results& results) {
    const auto at_rate = results.spread("reload", control, "rate: failed");
    const auto full = results.spread("reload", control, "full: failed");
    if (!at_rate || !full) return "";
    if (at_rate->max + full->max == 0)
        return std::string("**The control did not bite**: no request of ") + control +
               " was lost, so the zeros of this run prove little.";
    return std::string("Control: ") + control + " lost " + cell(*at_rate, 0) +
           " requests at a fixed rate and " + cell(*full, 0) + " under full load.";
}

}  // namespace handover::bench
