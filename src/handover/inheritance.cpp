// SPDX-License-Identifier: MIT
#include "handover/inheritance.h"

#include "handover/listeners/inherited_state.h"

#include <utility>

namespace handover {

Inheritance::Inheritance(InheritedState state)
    : state_(std::make_unique<InheritedState>(std::move(state))) {}
Inheritance::Inheritance(Inheritance&&) noexcept = default;
Inheritance& Inheritance::operator=(Inheritance&&) noexcept = default;
Inheritance::~Inheritance() = default;

Inheritance Inheritance::discover() {
    return InheritedState::discover().to_inheritance();
}

bool Inheritance::refuse(const std::string& reason) const {
    return state_->refuse(reason);
}

}  // namespace handover
