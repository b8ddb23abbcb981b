// SPDX-License-Identifier: MIT
// The manual pages say what the program does.

#include "process/documentation_fixture.h"
#include "process/event_stream.h"

#include <algorithm>
#include <map>
#include <utility>

namespace handover::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string daemon_page = "src/handoverd/handoverd.8";
const std::string file_page = "src/handoverd/handoverd.conf.5";
const std::string library_page = "src/handover/handover.3";
const std::string option_item = R"(^\.It .*?(--[a-z][a-z-]*))";
const std::string key_item = R"(^\.It Va ([a-z][a-z-]*))";

/// The source of a page as its reader sees it: "Fl \-root" is --root.
Lines page(const std::string& path) {
    auto lines = source_file(path);
    std::erase_if(lines, [](const std::string& line) { return line.starts_with(".\\\""); });
    const std::vector<std::pair<std::regex, std::string>> spellings = {
        {std::regex(R"(\\-)"), "-"},
        {std::regex("Fl -"), "--"},
        {std::regex(R"(\\&)"), ""},
        {std::regex(R"(\\\(dq)"), "\""},
        {std::regex(R"(\\e)"), "\\"}};
    for (auto& line : lines)
        for (const auto& [spelling, meaning] : spellings)
            line = std::regex_replace(line, spelling, meaning);
    return lines;
}

Lines section(const Lines& page, const std::string& title) {
    const auto begin = std::find(page.begin(), page.end(), ".Sh " + title);
    if (begin == page.end()) throw std::runtime_error("there is no section " + title);
    return {begin + 1, std::find_if(begin + 1, page.end(), [](const std::string& line) {
                return line.starts_with(".Sh ");
            })};
}

/// What is below the item that begins so, with the lists in it.
Lines below_item(const Lines& lines, const std::string& beginning) {
    auto line = std::find_if(lines.begin(), lines.end(),
                             [&](const std::string& one) { return one.starts_with(beginning); });
    if (line == lines.end()) throw std::runtime_error("there is no item " + beginning);
    Lines found;
    int lists = 0;
    while (++line != lines.end()) {
        if (line->starts_with(".Bl ")) ++lists;
        if (lists == 0 && (line->starts_with(".It ") || *line == ".El")) break;
        if (*line == ".El") --lists;
        found.push_back(*line);
    }
    return found;
}

std::vector<Lines> paragraphs(const Lines& lines) {
    std::vector<Lines> all(1);
    for (const auto& line : lines) {
        if (line == ".Pp")
            all.emplace_back();
        else
            all.back().push_back(line);
    }
    return all;
}

/// ".Va from , to" and ".It Va moved".
Names variables(Lines lines) {
    std::erase_if(lines, [](const std::string& line) {
        return !line.starts_with(".Va ") && !line.starts_with(".It Va ");
    });
    return all_in(lines, R"(\b([a-z][a-z_]*))");
}

/// What the pattern matches, which may go over several lines, each as the format has it.
Names formatted(const Lines& lines, const std::string& pattern, const std::string& format) {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    const std::regex regex(pattern);
    Names names;
    for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
        names.insert(match->format(format));
    return names;
}

/// "handover_handovers_total{kind,result}". The bounds of a histogram are no label of ours.
Names families_in(const std::string& metrics) {
    std::map<std::string, Names> families;
    std::string family;
    for (const auto& line : lines_of(metrics)) {
        std::smatch match;
        if (std::regex_search(line, match, std::regex("^# HELP ([a-z_]+)"))) family = match[1];
        families[family].merge(all_in({line}, "[{,]([a-z_]+)=\""));
    }
    Names found;
    for (auto& [name, labels] : families) {
        labels.erase("le");
        std::string list;
        for (const auto& label : labels) list.append(list.empty() ? "" : ",").append(label);
        auto entry = name;
        if (!list.empty()) entry.append("{").append(list).append("}");
        found.insert(entry);
    }
    return found;
}

/// The last thing in a section that is to be read letter by letter.
Lines example(const std::string& path) {
    const auto all = section(page(path), "EXAMPLES");
    const auto end = std::find(all.rbegin(), all.rend(), ".Ed");
    const auto begin = std::find_if(
        end, all.rend(), [](const std::string& line) { return line.starts_with(".Bd -literal"); });
    if (begin == all.rend()) throw std::runtime_error(path + " has no example");
    return {begin.base(), end.base() - 1};
}

/// "The default is 20s." below an item.
std::map<std::string, std::string> defaults_in(const Lines& page, const std::string& item) {
    std::map<std::string, std::string> defaults;
    std::string name;
    for (const auto& line : page) {
        std::smatch match;
        if (line.starts_with(".It "))
            name = std::regex_search(line, match, std::regex(item)) ? match[1] : std::string();
        if (std::regex_search(line, match, std::regex(R"(The default is (\S+?)\.?$)")))
            defaults[name] = match[1];
    }
    return defaults;
}

class Manual : public DocumentationTest {
  protected:
    /// Does the configuration file take this key, with any of these values?
    [[nodiscard]] bool is_taken(const std::string& key, const std::vector<std::string>& values) {
        return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
            return check(key + "=" + value + "\n").ok();
        });
    }

    [[nodiscard]] Finished check(const std::string& text) {
        const auto path = directory_ / "handoverd.conf";
        install_text(text, fs::perms::owner_read, path);
        return run_command({program_under_test(), "check", "--config", path}, timeout);
    }

    /// Every key of the object is among the names; those of an object in it are in a paragraph that
    /// has the name of that.
    static void expect_documented(const json& object, const Names& names,
                                  const std::vector<Lines>& below) {
        for (const auto& [key, value] : object.items()) {
            EXPECT_TRUE(names.contains(key))
                << daemon_page << ", GET /status: add .Va " << key << ", which is in " << object;
            Names inside;
            for (const auto& paragraph : below)
                if (auto found = variables(paragraph); found.contains(key)) inside.merge(found);
            for (const auto& part : value.is_array() ? value : json::array({value}))
                if (part.is_object()) expect_documented(part, inside, below);
        }
    }

    /// All that has happened, up to the end of the service.
    [[nodiscard]] static std::vector<json> lifecycle_of(const Daemon& daemon) {
        RawClient client(daemon.admin(), timeout);
        ask_for_events(client, "0");
        daemon.signal(SIGTERM);
        std::vector<json> events;
        for (const auto& one : only("lifecycle", events_in(client.receive().body)))
            events.push_back(one.data());
        return events;
    }

    void expect_defaults(const std::string& path, const std::string& item,
                         const std::string& prefix) {
        const auto lines = page(path);
        const auto items = all_in(lines, item);
        const auto stated = defaults_in(lines, item);
        EXPECT_FALSE(help_.defaults.empty()) << "handoverd --help was not understood";
        for (const auto& [option, standard] : help_.defaults) {
            const auto name = prefix + option.substr(2);
            if (!items.contains(name)) continue;  // another test says so, if it has to be there
            EXPECT_TRUE(stated.contains(name) && stated.at(name) == standard)
                << path << ": say below the item of " << name << ": The default is " << standard
                << ".";
        }
        for (const auto& [name, standard] : stated)
            EXPECT_TRUE(name.starts_with(prefix) &&
                        help_.defaults.contains("--" + name.substr(prefix.size())))
                << path << ": take out 'The default is " << standard << "' below the item of '"
                << name << "': handoverd --help states none";
    }
};

TEST_F(Manual, of_the_daemon_has_every_command_and_option_and_no_other) {
    const auto lines = page(daemon_page);
    expect_same(all_in(section(lines, "COMMANDS"), R"(^\.It Cm ([a-z]+))"), help_.commands,
                daemon_page + ", .It Cm in COMMANDS");
    expect_same(all_in(section(lines, "OPTIONS"), option_item), help_.options,
                daemon_page + ", .It Fl in OPTIONS");
    expect_same(all_in(lines, "(--[a-z][a-z-]*)"), options_, daemon_page);
}

TEST_F(Manual, of_the_daemon_has_the_options_of_a_command_beside_it) {
    const auto lines = section(page(daemon_page), "COMMANDS");
    for (const auto& command : help_.commands) {
        const auto item = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
            return (line + " ").starts_with(".It Cm " + command + " ");
        });
        ASSERT_NE(item, lines.end()) << daemon_page << ": add .It Cm " << command;
        EXPECT_EQ(all_in({*item}, "(--[a-z][a-z-]*)"), own_options(command))
            << daemon_page << ": " << *item << " has to have the options beside it that 'handoverd "
            << command << " --help' has";
    }
}

TEST_F(Manual, states_the_defaults_that_the_help_states) {
    expect_defaults(daemon_page, option_item, "--");
    expect_defaults(file_page, key_item, "");
}

TEST_F(Manual, of_the_daemon_has_every_field_of_the_status) {
    Daemon daemon(directory_, with_options({}));
    EXPECT_EQ(daemon.reload().status, 0);
    json status;
    ASSERT_TRUE(eventually([&] {
        status = daemon.status();
        return status.at("arrivals").is_object() && status["arrivals"]["predecessor"].is_object();
    })) << status;
    EXPECT_EQ(status.at("generations").size(), 2U);
    EXPECT_FALSE(status.at("history").empty());
    const auto all =
        paragraphs(below_item(section(page(daemon_page), "ADMIN LISTENER"), ".It Li GET /status"));
    const std::vector<Lines> below(all.begin() + 1, all.end());
    expect_documented(status, variables(all.front()), below);
}

TEST_F(Manual, of_the_daemon_has_every_field_of_an_event) {
    Daemon daemon(directory_, with_options({}));
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    const auto lines =
        below_item(section(page(daemon_page), "ADMIN LISTENER"), ".It Li GET /events");
    const auto names = variables(lines);
    const auto whats = all_in(lines, R"(^\.Ql ([a-z_]+))");
    const auto events = lifecycle_of(daemon);
    EXPECT_FALSE(events.empty());
    for (const auto& event : events) {
        for (const auto& [key, value] : event.items())
            EXPECT_TRUE(names.contains(key)) << daemon_page << ": add .Va " << key << ": " << event;
        EXPECT_TRUE(whats.contains(event.at("what").get<std::string>()))
            << daemon_page << ": add .Ql " << event.at("what");
    }
}

TEST_F(Manual, of_the_daemon_and_the_help_have_every_path_of_the_admin_listener) {
    const auto listed = section(page(daemon_page), "ADMIN LISTENER");
    const auto help = lines_of(run_command({program_under_test(), "--help"}, timeout).out);
    const auto is_option = [](const std::string& line) {
        return std::regex_search(line, std::regex("^ {2,20}(-[a-z],|--[a-z])"));
    };
    const auto begin = std::find_if(help.begin(), help.end(), [](const std::string& line) {
        return line.find("--admin") != std::string::npos;
    });
    ASSERT_NE(begin, help.end());
    const Lines told(begin, std::find_if(begin + 1, help.end(), is_option));
    expect_same(all_in(listed, "(?:GET|POST) (/[a-z]*)"), all_in(told, " (/[a-z]*)(?=[ ,]|$)"),
                daemon_page + ", ADMIN LISTENER", "handoverd --help of --admin");
}

TEST_F(Manual, of_the_daemon_has_every_field_of_the_access_log_in_JSON) {
    const auto file = directory_ / "access.log";
    Daemon daemon(directory_, with_options({"--access-log", "json", "--access-log-file", file}));
    EXPECT_EQ(daemon.ask().status, 200);
    std::string line;
    ASSERT_TRUE(
        eventually([&] { return static_cast<bool>(std::getline(std::ifstream(file), line)); }));
    const auto names = variables(below_item(page(daemon_page), ".It --access-log "));
    Names keys;
    const auto object = json::parse(line);
    for (const auto& [key, value] : object.items()) keys.insert(key);
    expect_same(names, keys, daemon_page + ", --access-log", "a line of the access log");
}

TEST_F(Manual, of_the_daemon_has_every_metric_and_label_and_no_other) {
    Daemon daemon(directory_, with_options({}));
    EXPECT_EQ(daemon.ask().status, 200);
    const auto wanted = families_in(RawClient(daemon.admin(), timeout).get("/metrics").body);
    const auto listed =
        below_item(section(page(daemon_page), "ADMIN LISTENER"), ".It Li GET /metrics");
    expect_same(all_in(listed, R"(^\.It Li (\S+)$)"), wanted, daemon_page, "/metrics");
}

TEST_F(Manual, of_the_daemon_has_the_id_of_every_message_and_every_field_in_the_journal) {
    const std::string journal = "src/handoverd/log/journal.cpp";
    const auto listed = section(page(daemon_page), "LOG");
    const auto code = source_file(journal);
    expect_same(formatted(listed, R"(\.It ([0-9a-f]{32})\n([a-z_]+))", "$1 $2"),
                formatted(code, R"re(Event::([a-z_]+):\s+return "([0-9a-f]{32})")re", "$2 $1"),
                daemon_page, journal);
    const auto fields = all_in(listed, "(HANDOVER_[A-Z_]+)");
    for (const auto& field : all_in(code, "\"(HANDOVER_[A-Z_]+)\""))
        EXPECT_TRUE(fields.contains(field)) << daemon_page << ", LOG: add .Va " << field;
}

TEST_F(Manual, has_the_values_of_options_that_take_one_of_a_few_and_no_other) {
    EXPECT_TRUE(help_.values.contains("--log-level"));
    EXPECT_TRUE(help_.values.contains("--access-log"));
    const std::string value = R"(^\.Cm ([a-z]+))";
    for (const auto& [option, values] : help_.values) {
        std::string item = ".It ";
        item.append(option).append(" ");
        expect_same(all_in(below_item(page(daemon_page), item), value), values, item);
        std::string key = ".It Va ";
        key.append(option.substr(2)).append(" ");
        expect_same(all_in(below_item(page(file_page), key), value), values, key);
    }
}

TEST_F(Manual, of_the_configuration_file_has_every_key_that_is_taken_and_no_other) {
    const auto keys = all_in(page(file_page), key_item);
    for (const auto& option : options_) {
        const auto key = option.substr(2);
        std::vector<std::string> values = {"true", "1s", "8", "/", "127.0.0.1:0", "unix:@name"};
        if (const auto standard = help_.defaults.find(option); standard != help_.defaults.end())
            values.insert(values.begin(), standard->second);
        if (is_taken(key, values))
            EXPECT_TRUE(keys.contains(key)) << file_page << ": add .It Va " << key;
        else
            EXPECT_FALSE(keys.contains(key))
                << file_page << ": take out .It Va " << key
                << ", for the file takes it with none of " << testing::PrintToString(values)
                << "; or add a value here that it takes";
    }
    for (const auto& key : keys)
        EXPECT_TRUE(options_.contains("--" + key))
            << file_page << ": take out .It Va " << key << ", which is no option";
}

TEST_F(Manual, of_the_configuration_file_has_an_example_that_is_valid) {
    std::string text;
    for (const auto& line : example(file_page))
        text += (line.starts_with("root=") ? "root=" + directory_.path().string() : line) + "\n";
    EXPECT_NE(text.find("root=/"), std::string::npos) << text;
    const auto finished = check(text);
    EXPECT_TRUE(finished.ok()) << file_page << ", EXAMPLES: " << finished.err << text;
}

TEST_F(Manual, of_the_daemon_has_every_example_of_the_package_and_no_other) {
    const std::string examples = "debian/handoverd.examples";
    expect_same(all_in(section(page(daemon_page), "UNDER SYSTEMD"), R"(^\.It Pa (\S+)$)"),
                all_in(source_file(examples), "([^/]+)$"),
                daemon_page + ", .It Pa in UNDER SYSTEMD", examples);
}

TEST_F(Manual, of_the_library_has_every_public_header_and_no_other) {
    Names headers;
    for (const auto& entry : fs::directory_iterator(fs::path(HANDOVER_SOURCE) / "src/handover"))
        if (entry.path().extension() == ".h")
            headers.insert("handover/" + entry.path().filename().string());
    for (const auto& name : all_in(source_file("src/http/CMakeLists.txt"), R"(^ +(\w+\.h)$)"))
        headers.insert("http/" + name);
    expect_same(all_in(section(page(library_page), "FILES"), R"(^\.It In (\S+)$)"), headers,
                library_page + ", .It In in FILES", "what is installed of src");
}

TEST_F(Manual, of_the_library_has_an_example_that_is_built) {
    const auto trimmed = [](const std::string& line) {
        return line.substr(std::min(line.find_first_not_of(' '), line.size()));
    };
    const std::string program = "src/examples/hello_http.cpp";
    const auto built = source_file(program);
    auto place = built.begin();
    for (const auto& line : example(library_page)) {
        if (trimmed(line).empty()) continue;
        place = std::find_if(place, built.end(), [&](const std::string& other) {
            return trimmed(other) == trimmed(line);
        });
        ASSERT_NE(place, built.end())
            << library_page << ", EXAMPLES: '" << line << "' is not, or not there, in " << program;
        ++place;
    }
    EXPECT_NE(place, built.begin()) << "the example is empty";
}

}  // namespace
}  // namespace handover::test
