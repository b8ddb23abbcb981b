// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/config/configuration_file.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace handoverd {

/// An option with what it has in the end. For `handoverd check --print`.
struct Setting {
    enum class From { standard, file, command_line };
    struct Value {
        std::string text;
        std::size_t line = 0;  ///< from the file
    };

    std::string name;
    From from = From::standard;
    std::vector<Value> values;  ///< none: not set, and nothing stands in for it
};

/// Gives the file's items to those options of `app` that the command line has not, and says what
/// all have then. Every item is judged, also one that the command line outweighs, by `trial`: the
/// same options, which are left with whatever came last. What is wrong becomes a fault of the file
/// and is not given.
[[nodiscard]] std::vector<Setting> apply(ConfigurationFile& file, CLI::App& app, CLI::App& trial);

/// An address that stands twice: nobody could serve both.
struct SameAddress {
    Setting::From from;    ///< of the second, which is to blame
    std::size_t line = 0;  ///< if that is the file
    std::string text;      ///< what it is and what to do
};
/// The addresses that stand twice among the values of these options.
[[nodiscard]] std::vector<SameAddress> same_addresses(const std::vector<Setting>& settings,
                                                      const std::vector<std::string>& names,
                                                      const ConfigurationFile& file);

}  // namespace handoverd
