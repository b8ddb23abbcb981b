// SPDX-License-Identifier: MIT
#include "handover/listeners/listeners.h"

#include "handover/error.h"
#include "handover/listeners/bind_listener.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace handover {
namespace {

bool has_no_name_of_its_own(const InheritedFd& inherited) {
    return inherited.name == "unknown" || inherited.name.ends_with(".socket");
}

/// Sorts inherited descriptors to the wanted listeners.
class Assembly {
  public:
    explicit Assembly(const std::vector<WantedListener>& wanted)
        : wanted_(wanted), found_(wanted.size()) {}

    void place(InheritedFd inherited) {
        const bool anonymous = has_no_name_of_its_own(inherited);
        const bool known = std::any_of(wanted_.begin(), wanted_.end(), [&](const auto& wanted) {
            return wanted.name == inherited.name;
        });
        if (!known && !(anonymous && is_listener(inherited)))
            return refuse_stranger(std::move(inherited));
        if (!is_listener(inherited))
            throw Error(Error::Kind::config,
                        "the inherited descriptor " + std::to_string(inherited.fd.get()) +
                            ", named '" + inherited.name + "', is " + inherited.what.description +
                            ", not a listening stream socket");
        admit_new_connections(inherited.fd.get());
        const auto place = place_for(inherited, anonymous);
        if (!place) return drop(std::move(inherited));
        set_nonblock(inherited.fd.get());
        found_[*place].push_back({wanted_[*place].name, *inherited.what.endpoint,
                                  std::move(inherited.fd), /*inherited=*/true});
    }

    Listeners finish() {
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            if (found_[i].empty()) bind_missing(i);
            std::move(found_[i].begin(), found_[i].end(), std::back_inserter(result_.active));
        }
        return std::move(result_);
    }

  private:
    static bool is_listener(const InheritedFd& inherited) {
        return inherited.what.kind == Descriptor::Kind::stream_listener;
    }

    /// All or nothing: a generation that cannot start leaves no path of its own behind.
    void bind_missing(std::size_t place) {
        try {
            found_[place].push_back(bind_listener(wanted_[place]));
        } catch (const Error&) {
            for (const auto& listener : result_.active)
                if (!listener.inherited) refuse_new_connections(listener);
            throw;
        }
    }

    /// The exact address first, then one with any port; a default takes what is left.
    [[nodiscard]] std::optional<std::size_t> place_for(const InheritedFd& inherited,
                                                       bool anonymous) const {
        const auto& bound = *inherited.what.endpoint;
        const auto first_place = [&](const auto& suits) -> std::optional<std::size_t> {
            for (std::size_t i = 0; i < wanted_.size(); ++i)
                if ((anonymous || wanted_[i].name == inherited.name) && suits(i)) return i;
            return std::nullopt;
        };
        auto place = first_place(
            [&](std::size_t i) { return found_[i].empty() && wanted_[i].endpoint == bound; });
        if (!place)
            place = first_place([&](std::size_t i) {
                return found_[i].empty() && wanted_[i].endpoint.matches(bound);
            });
        if (!place) place = first_place([&](std::size_t i) { return wanted_[i].default_only; });
        return place;
    }

    void drop(InheritedFd inherited) {
        result_.warnings.push_back("the inherited listener '" + inherited.name + "' on " +
                                   inherited.what.endpoint->to_string() +
                                   " is not configured any more: closed");
        set_nonblock(inherited.fd.get());
        keep_for_now(std::move(inherited));
    }

    void keep_for_now(InheritedFd inherited) {
        result_.dropped.push_back({inherited.name, *inherited.what.endpoint,
                                   std::move(inherited.fd), /*inherited=*/true, /*detached=*/true});
    }

    void refuse_stranger(InheritedFd inherited) {
        result_.warnings.push_back("the inherited descriptor '" + inherited.name + "' (" +
                                   inherited.what.description +
                                   ") means nothing to this version: closed");
        result_.strangers.push_back(inherited.name);
        if (is_listener(inherited)) keep_for_now(std::move(inherited));
    }

    const std::vector<WantedListener>& wanted_;
    std::vector<std::vector<Listener>> found_;
    Listeners result_;
};

}  // namespace

Listeners Listeners::assemble(std::vector<InheritedFd> inherited,
                              const std::vector<WantedListener>& wanted) {
    Assembly assembly(wanted);
    for (auto& one : inherited) assembly.place(std::move(one));
    return assembly.finish();
}

}  // namespace handover
