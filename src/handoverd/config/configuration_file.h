// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace handoverd {

/// The lines `name=value` of a configuration file, as handoverd.conf(5) describes it. Knows neither
/// names nor values: see apply() in settings.h.
struct ConfigurationFile {
    struct Item {
        std::size_t line = 0;
        std::string name;
        std::string value;  ///< without quotes, comment and space around it
    };
    struct Fault {
        std::size_t line = 0;  ///< 0: of the file as a whole
        std::string text;      ///< what it is and what to write instead
    };

    std::string path;
    std::vector<Item> items;
    std::vector<Fault> faults;  ///< in the order of the lines

    enum class Missing { is_a_fault, is_empty };
    /// Reads a file; what is wrong with the file itself is a fault as well.
    [[nodiscard]] static ConfigurationFile read(const std::string& path, Missing missing);
    [[nodiscard]] static ConfigurationFile parse(std::string path, std::string_view text);
    /// An item as a line of a file that reads the same.
    [[nodiscard]] static std::string to_line(const std::string& name, const std::string& value);

    void add_fault(std::size_t line, std::string text);
    /// "/etc/handoverd/handoverd.conf:12", as compilers write it.
    [[nodiscard]] std::string place(std::size_t line) const;
};

}  // namespace handoverd
