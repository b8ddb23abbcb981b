// SPDX-License-Identifier: MIT
#include "handoverd/config/settings.h"

#include "handover/endpoint.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <utility>

namespace handoverd {
namespace {

using Item = ConfigurationFile::Item;

bool is_flag(const CLI::Option& option) {
    return option.get_expected_max() == 0;
}

bool may_be_repeated(const CLI::Option& option) {
    return option.get_expected_max() > 1;
}

/// The name of an option as a key; empty if it is none.
std::string key_of(const CLI::Option& option) {
    return option.get_configurable() && !option.get_lnames().empty() ? option.get_lnames().front()
                                                                     : std::string();
}

/// How many letters have to be changed, added or taken out to make one of the other (Levenshtein).
std::size_t distance(const std::string& one, const std::string& other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < one.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < other.size(); ++j) {
            const std::size_t changed = diagonal + (one[i] == other[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
        }
    }
    return row.back();
}

/// As names are written here: "--Drain_Timeout" becomes "drain-timeout".
std::string as_name(std::string text) {
    text.erase(0, std::min(text.find_first_not_of('-'), text.size()));
    for (auto& letter : text)
        letter = letter == '_'
                     ? '-'
                     : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return text;
}

/// The known name that was probably meant; empty if none comes near.
std::string nearest_name(const std::string& unknown, const CLI::App& app) {
    constexpr std::size_t longest = 64;
    if (unknown.size() > longest) return {};
    const auto written = as_name(unknown);
    auto least = std::max<std::size_t>(2, written.size() / 3) + 1;
    std::string nearest;
    for (const auto* option : app.get_options()) {
        const auto key = key_of(*option);
        if (key.empty()) continue;
        const auto away = distance(written, key);
        if (away >= least) continue;
        least = away;
        nearest = key;
    }
    return nearest;
}

/// Nobody reads on, and a message between generations has to hold it.
std::string cut(std::string text, std::size_t longest) {
    if (text.size() <= longest) return text;
    while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0U) == 0x80)
        --longest;  // not within a character of UTF-8
    return text.substr(0, longest) + "...";
}

/// As in the file.
std::string shown(const Item& item) {
    return cut(item.name + "=" + item.value, 120);
}

/// Judges the items one by one.
class Judge {
  public:
    explicit Judge(CLI::App& trial) : trial_(trial) {}

    /// What is wrong and what to write instead; empty if nothing is.
    std::string fault_of(const Item& item) {
        auto* option = trial_.get_option_no_throw("--" + item.name);
        if (option == nullptr || key_of(*option) != item.name) return unknown(item, option);
        const auto [first, is_first] = first_lines_.emplace(item.name, item.line);
        if (!is_first && !may_be_repeated(*option))
            return "it is in line " + std::to_string(first->second) +
                   " already and may be given once, take one of them out";
        if (item.value.empty()) return "there is no value, write one or take the line out";
        if (may_be_repeated(*option) && item.value.starts_with('[') && item.value.ends_with(']'))
            return "there are no lists, write a line " + item.name + "=... for each";
        if (is_flag(*option) && item.value != "true" && item.value != "false")
            return "neither true nor false, write one of them";
        return fault_of_value(*option, item.value);
    }

  private:
    [[nodiscard]] std::string unknown(const Item& item, const CLI::Option* option) const {
        if (option != nullptr) return "it is for the command line only, take the line out";
        const auto nearest = nearest_name(item.name, trial_);
        return "there is no option of this name, " +
               (nearest.empty() ? "see handoverd.conf(5)" : "write " + nearest + "=");
    }

    static std::string fault_of_value(CLI::Option& option, const std::string& value) {
        try {
            option.clear();
            option.add_result(value);
            option.run_callback();
            return {};
        } catch (const CLI::ParseError& error) {
            return cut(without_prefix(without_prefix(error.what(), option.get_name() + ": "),
                                      "'" + value + "' is "),
                       400);
        }
    }

    static std::string without_prefix(const std::string& text, const std::string& prefix) {
        return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
    }

    CLI::App& trial_;
    std::map<std::string, std::size_t> first_lines_;
};

void keep_what_is_right(ConfigurationFile& file, CLI::App& trial) {
    Judge judge(trial);
    std::erase_if(file.items, [&](const Item& item) {
        const auto fault = judge.fault_of(item);
        if (!fault.empty()) file.add_fault(item.line, shown(item) + ": " + fault);
        return !fault.empty();
    });
}

/// Gives the option what the file has for it, and says what it has in the end.
Setting settle(CLI::Option& option, const ConfigurationFile& file) {
    Setting setting{key_of(option), Setting::From::command_line, {}};
    for (const auto& text : option.results()) setting.values.push_back({text, 0});
    if (!setting.values.empty()) return setting;
    for (const auto& item : file.items)
        if (item.name == setting.name) setting.values.push_back({item.value, item.line});
    if (!setting.values.empty()) {
        setting.from = Setting::From::file;
        for (const auto& value : setting.values) option.add_result(value.text);
        option.run_callback();
        return setting;
    }
    setting.from = Setting::From::standard;
    const auto standard = is_flag(option) ? "false" : option.get_default_str();
    if (!standard.empty()) setting.values.push_back({standard, 0});
    return setting;
}

/// An address that an option has, for those of the others to be compared with.
struct Address {
    handover::Endpoint endpoint;
    const Setting* setting;
    const Setting::Value* value;
};

std::vector<Address> addresses_in(const std::vector<Setting>& settings,
                                  const std::vector<std::string>& names) {
    std::vector<Address> addresses;
    for (const auto& setting : settings)
        if (std::find(names.begin(), names.end(), setting.name) != names.end())
            for (const auto& value : setting.values)
                addresses.push_back({handover::Endpoint::parse(value.text), &setting, &value});
    // Who is to blame comes last: nobody wrote a default, and the command line is what was meant.
    std::stable_sort(addresses.begin(), addresses.end(), [](const auto& a, const auto& b) {
        return std::pair(a.setting->from, a.value->line) <
               std::pair(b.setting->from, b.value->line);
    });
    return addresses;
}

std::string where(const Address& address, const ConfigurationFile& file) {
    switch (address.setting->from) {
        case Setting::From::standard:
            return "which is the default of " + address.setting->name;
        case Setting::From::file:
            return "which " + address.setting->name + " has in " + file.place(address.value->line);
        case Setting::From::command_line:
            return "which --" + address.setting->name + " has";
    }
    __builtin_unreachable();
}

}  // namespace

std::vector<Setting> apply(ConfigurationFile& file, CLI::App& app, CLI::App& trial) {
    keep_what_is_right(file, trial);
    std::vector<Setting> settings;
    for (auto* option : app.get_options())
        if (!key_of(*option).empty()) settings.push_back(settle(*option, file));
    return settings;
}

std::vector<SameAddress> same_addresses(const std::vector<Setting>& settings,
                                        const std::vector<std::string>& names,
                                        const ConfigurationFile& file) {
    std::vector<SameAddress> faults;
    const auto all = addresses_in(settings, names);
    for (auto second = all.begin(); second != all.end(); ++second) {
        const auto first = std::find_if(all.begin(), second, [&](const Address& one) {
            // Of port 0 there are many.
            const bool is_one = one.endpoint.port() != 0 || one.endpoint.family() == AF_UNIX;
            return is_one && one.endpoint == second->endpoint;
        });
        if (first == second) continue;
        const auto& name = second->setting->name;
        const bool in_file = second->setting->from == Setting::From::file;
        faults.push_back({second->setting->from, second->value->line,
                          (in_file ? name + "=" : "--" + name + " ") + second->value->text +
                              ": the same address, " + where(*first, file) +
                              ", take one of them out"});
    }
    return faults;
}

}  // namespace handoverd
