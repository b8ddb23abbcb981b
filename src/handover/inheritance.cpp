// SPDX-License-Identifier: MIT
#include "handover/inheritance.h"

#include "handover/listeners/inherited_state.h"

#include <utility>

namespace handover {

Inheritance::Inheritance(InheritedState found)
    : found_(std::make_unique<InheritedState>(std::move(found))) {}
Inheritance::Inheritance(Inheritance&&) noexcept = default;
Inheritance& Inheritance::operator=(Inheritance&&) noexcept = default;
Inheritance::~Inheritance() = default;

Inheritance Inheritance::discover() {
    return Inheritance(InheritedState::discover());
}

bool Inheritance::refuse(const std::string& reason) const {
    return found_->refuse(reason);
}

}  // namespace handover
