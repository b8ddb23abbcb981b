// SPDX-License-Identifier: MIT
#include "handover/origin.h"

#include "handover/inheritance.h"

#include <utility>

namespace handover {

Origin::Origin(Inheritance found) : found_(std::make_unique<Inheritance>(std::move(found))) {}
Origin::Origin(Origin&&) noexcept = default;
Origin& Origin::operator=(Origin&&) noexcept = default;
Origin::~Origin() = default;

Origin Origin::discover() {
    return Origin(Inheritance::discover());
}

bool Origin::refuse(const std::string& reason) const {
    return found_->refuse(reason);
}

}  // namespace handover
