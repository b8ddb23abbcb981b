// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connections/export_phase.h"

#include <string>

namespace handover::test {

/// An export as far as the table is concerned. It says no when it is told to do something that
/// makes no sense, or that breaks a promise.
struct ExportModel {
    enum class Sender { none, to_successor, to_store };
    enum class Account { none, on_its_way, sent };
    enum class Services { untold, serving_on, giving, closing };

    export_phase::Phase phase = export_phase::Phase::idle;
    bool may_be_recalled = false;
    Sender sender = Sender::none;
    bool has_channel = false;
    bool sender_aside = false;
    Account account = Account::none;
    Services services = Services::untold;
    bool drained = false;
    bool store_asked = false;

    // clang-tidy takes the 0 of a comparison for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    [[nodiscard]] auto operator<=>(const ExportModel&) const = default;

    [[nodiscard]] bool can_happen(export_phase::Event event) const;
    /// What is wrong; nothing, if all is well.
    std::string handle(export_phase::Event event);

  private:
    std::string perform(export_phase::Action action, export_phase::Event event);
    std::string tell_services(export_phase::Action action);
    std::string work_on_sender(export_phase::Action action, export_phase::Event event);
    std::string take_back(export_phase::Action action, export_phase::Event event);
    std::string tell_account(export_phase::Action action);
    /// Does the phase say what is the case?
    [[nodiscard]] std::string where_they_are() const;
};

}  // namespace handover::test
