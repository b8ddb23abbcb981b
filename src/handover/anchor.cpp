// SPDX-License-Identifier: MIT
#include "handover/anchor.h"

#include "handover/generation/anchor_process.h"

#include <utility>

namespace handover {

Anchor::Anchor(std::unique_ptr<AnchorProcess> process) : process_(std::move(process)) {}
Anchor::Anchor(Anchor&&) noexcept = default;
Anchor& Anchor::operator=(Anchor&&) noexcept = default;
Anchor::~Anchor() = default;

std::optional<Anchor> Anchor::resume(int ledger_fd) {
    auto process = AnchorProcess::resume(ledger_fd);
    if (!process) return std::nullopt;
    return Anchor(std::make_unique<AnchorProcess>(std::move(*process)));
}

int Anchor::wait(std::chrono::milliseconds timeout, const Report& report) {
    return process_->wait(timeout, report);
}

}  // namespace handover
