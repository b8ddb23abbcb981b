// SPDX-License-Identifier: MIT
// LISTEN_* and the descriptors that come with them, in every way in which they can be wrong: the
// daemon serves what it can and warns, or refuses with status 78 and one sentence; and in either
// case it leaves alone what is not its own.

#include "process/process_fixture.h"
#include "support/listening.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using Environment = std::map<std::string, std::optional<std::string>>;

UniqueFd socket_of(int domain, int type) {
    return UniqueFd(::socket(domain, type | SOCK_CLOEXEC, 0));
}

/// Descriptors to inherit, each of its kind; whatever belongs to them lives as long.
class Things {
  public:
    explicit Things(const std::filesystem::path& directory)
        : file_(::open((directory / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        connected_ = socket_of(AF_INET, SOCK_STREAM);
        const auto there = other_.endpoint();  // nobody accepts it
        EXPECT_EQ(::connect(connected_.get(), there.address(), there.address_length()), 0);
        EXPECT_EQ(::pipe2(pipe_.data(), O_CLOEXEC), 0);
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair_.data()), 0);
    }
    ~Things() {
        for (const int fd : {pipe_[0], pipe_[1], pair_[0], pair_[1]}) ::close(fd);
    }
    Things(const Things&) = delete;
    Things& operator=(const Things&) = delete;

    [[nodiscard]] int operator[](const std::string& kind) const {
        const std::map<std::string, int> all{{"listener", listener_.fd()},
                                             {"other listener", other_.fd()},
                                             {"file", file_.get()},
                                             {"null", null_.get()},
                                             {"directory", directory_.get()},
                                             {"memory", memory_.get()},
                                             {"epoll", epoll_.get()},
                                             {"pipe", pipe_[0]},
                                             {"UDP", udp_.get()},
                                             {"unix datagrams", unix_datagrams_.get()},
                                             {"connected", connected_.get()},
                                             {"deaf", deaf_.get()},
                                             {"unconnected seqpacket", unconnected_.get()},
                                             {"seqpacket", pair_[0]}};
        return all.at(kind);
    }
    [[nodiscard]] const ListeningSocket& listener() const { return listener_; }
    void say_on_the_seqpacket(const std::string& packet) const {
        EXPECT_EQ(::send(pair_[1], packet.data(), packet.size(), 0), std::ssize(packet));
    }

    void expect_usable() const {
        EXPECT_FALSE(refuses(listener_.endpoint()));
        EXPECT_FALSE(refuses(other_.endpoint()));
        char byte = 'x';
        EXPECT_EQ(::write(pipe_[1], &byte, 1), 1);
        EXPECT_EQ(::read(pipe_[0], &byte, 1), 1);
        EXPECT_EQ(::send(connected_.get(), &byte, 1, MSG_NOSIGNAL), 1);
    }

  private:
    const ListeningSocket listener_{"127.0.0.1:0"};
    const ListeningSocket other_{"127.0.0.1:0"};
    const UniqueFd file_;
    const UniqueFd null_{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    const UniqueFd directory_{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const UniqueFd memory_{::memfd_create("test", MFD_CLOEXEC)};
    const UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    const UniqueFd udp_ = socket_of(AF_INET, SOCK_DGRAM);
    const UniqueFd unix_datagrams_ = socket_of(AF_UNIX, SOCK_DGRAM);
    UniqueFd connected_;
    const UniqueFd deaf_ = socket_of(AF_INET, SOCK_STREAM);
    const UniqueFd unconnected_ = socket_of(AF_UNIX, SOCK_SEQPACKET);
    std::array<int, 2> pipe_{};
    std::array<int, 2> pair_{};
};

struct InheritedState {
    std::vector<std::pair<std::string, std::string>> fds;  ///< name and kind
    Environment environment;                               ///< instead of what is right
    std::vector<std::string> told;                         ///< what its one line names
};

class MalformedInheritance : public ProcessTest {
  protected:
    [[nodiscard]] DaemonOptions with(const InheritedState& inheritance) const {
        auto start = with_options({});
        for (const auto& [name, kind] : inheritance.fds)
            start.process.inherited.push_back({name, things_[kind]});
        start.process.environment = inheritance.environment;
        return start;
    }

    static std::string title_of(const InheritedState& inheritance) {
        std::ostringstream title;
        for (const auto& [name, kind] : inheritance.fds) title << name << "=" << kind << " ";
        for (const auto& [name, value] : inheritance.environment)
            title << name << "=" << value.value_or("(unset)").substr(0, 40) << " ";
        return title.str();
    }

    void expect_refused(const InheritedState& inheritance) const {
        SCOPED_TRACE(title_of(inheritance));
        const TemporaryDirectory elsewhere;
        const auto told = run_to_end(elsewhere, with(inheritance));
        EXPECT_EQ(told.status, 78);
        EXPECT_TRUE(told.err.starts_with("handoverd: ")) << told.err;
        for (const auto& part : inheritance.told)
            EXPECT_NE(told.err.find(part), std::string::npos) << part << " is not in: " << told.err;
        EXPECT_EQ(told.err.find('\n'), told.err.size() - 1) << "not one line: " << told.err;
        EXPECT_TRUE(std::filesystem::is_empty(elsewhere.path())) << "something was started";
        expect_untouched(inheritance);
    }

    /// Of what it inherited it has nothing but, perhaps, the listener.
    void expect_served(const InheritedState& inheritance) const {
        SCOPED_TRACE(title_of(inheritance));
        const TemporaryDirectory elsewhere;
        Daemon daemon(elsewhere, with(inheritance));
        EXPECT_EQ(daemon.ask().pid, daemon.pid());
        for (const auto& part : inheritance.told) {
            const auto line = daemon.await_line(part);
            EXPECT_NE(line.find("warning"), std::string::npos) << line;
        }
        const auto ours = ProcessView{::getpid()}.descriptors();
        for (const auto& [fd, what] : ProcessView{daemon.pid()}.descriptors()) {
            if (fd <= STDERR_FILENO) continue;
            for (const auto& [name, kind] : inheritance.fds) {
                if (kind == "listener" || kind == "epoll") continue;
                EXPECT_NE(what, ours.at(things_[kind])) << kind;
            }
        }
        expect_untouched(inheritance);
    }

    /// For whoever else has it. What could be adopted has to be non-blocking.
    void expect_untouched(const InheritedState& inheritance) const {
        for (const auto& [name, kind] : inheritance.fds) {
            if (kind == "listener" || (name == "channel" && kind == "seqpacket")) continue;
            EXPECT_EQ(::fcntl(things_[kind], F_GETFL) & O_NONBLOCK, 0) << kind;
        }
        things_.expect_usable();
    }

    const Things things_{directory_.path()};
};

const std::string nonsense(300, 'n');

const InheritedState wrong_variables[] = {
    // LISTEN_FDS
    {{{"http", "listener"}}, {{"LISTEN_FDS", "-1"}}, {"LISTEN_FDS='-1' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", "0"}}, {"LISTEN_FDS=0", "'http'", "1 names"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", ""}}, {"LISTEN_FDS='' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", " 1"}}, {"LISTEN_FDS=' 1' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", "1 "}}, {"LISTEN_FDS='1 ' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", "+1"}}, {"LISTEN_FDS='+1' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", "0x1"}}, {"LISTEN_FDS='0x1' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", "one\n"}}, {"LISTEN_FDS='one\\x0a' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", nonsense}}, {"LISTEN_FDS='nnnn", "nnn...' is not a"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", "65537"}}, {"LISTEN_FDS=65537 is more than 65536"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", "4294967297"}}, {"LISTEN_FDS=4294967297 is more"}},
    {{{"http", "listener"}},
     {{"LISTEN_FDS", "18446744073709551617"}},
     {"LISTEN_FDS='18446744073709551617' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_FDS", std::nullopt}}, {"LISTEN_PID is set but LISTEN_FDS"}},
    // more than there are, and than there can be
    {{{"http", "listener"}},
     {{"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "http:http"}},
     {"LISTEN_FDS=2 announces descriptor 4 ('http'), but it is not open"}},
    {{{"http", "listener"}},
     {{"LISTEN_FDS", "65536"}, {"LISTEN_FDNAMES", std::nullopt}},
     {"LISTEN_FDS=65536 announces descriptor 4 ('unknown'), but it is not open"}},
    {{},
     {{"LISTEN_FDS", "1"}, {"LISTEN_PID", std::string(ProcessOptions::own_pid)}},
     {"LISTEN_FDS=1 announces descriptor 3 ('unknown'), but it is not open"}},
    // LISTEN_PID
    {{{"http", "listener"}}, {{"LISTEN_PID", std::nullopt}}, {"LISTEN_PID is not"}},
    {{{"http", "listener"}}, {{"LISTEN_PID", "1"}}, {"LISTEN_PID=1 means another process"}},
    {{{"http", "listener"}}, {{"LISTEN_PID", "0"}}, {"LISTEN_PID=0 means another process"}},
    {{{"http", "listener"}}, {{"LISTEN_PID", "-1"}}, {"LISTEN_PID='-1' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_PID", ""}}, {"LISTEN_PID='' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_PID", "self"}}, {"LISTEN_PID='self' is not a number"}},
    {{{"http", "listener"}}, {{"LISTEN_PIDFDID", "x"}}, {"LISTEN_PIDFDID='x' is not a number"}},
    // LISTEN_FDNAMES
    {{{"http", "listener"}}, {{"LISTEN_FDNAMES", "http:admin"}}, {"'http:admin' has 2 names"}},
    {{{"http", "listener"}}, {{"LISTEN_FDNAMES", "http:"}}, {"'http:' has 2 names"}},
    {{{"http", "listener"}, {"http", "other listener"}},
     {{"LISTEN_FDNAMES", "http"}},
     {"LISTEN_FDS=2", "'http' has 1 names"}},
    {{{"http", "listener"}},
     {{"LISTEN_FDNAMES", "a\x1b[31m\nMAINPID=1"}},
     {"LISTEN_FDNAMES='a\\x1b[31m\\x0aMAINPID=1' has a control character"}},
    {{{"http", "listener"}},
     {{"LISTEN_FDNAMES", nonsense}},
     {"LISTEN_FDNAMES='nnn", "nnn...' has a name of more than 255 bytes"}},
    {{}, {{"LISTEN_FDNAMES", "http"}}, {"LISTEN_FDNAMES is set but LISTEN_FDS is not"}},
};

TEST_F(MalformedInheritance, of_wrong_variables_is_refused_with_the_value_and_the_remedy) {
    for (auto inheritance : wrong_variables) {
        inheritance.told.emplace_back(
            ": unset the LISTEN_* variables or start it where they are set right\n");
        expect_refused(inheritance);
    }
}

TEST_F(MalformedInheritance, of_a_wanted_name_for_something_else_is_refused) {
    const auto refused = [&](const std::string& name, const std::string& kind,
                             const std::string& what) {
        expect_refused({{{"http", "listener"}, {name, kind}},
                        {},
                        {"the inherited descriptor 4, named '" + name + "', is " + what +
                         ", not a listening stream socket"}});
    };
    refused("http", "file", "a regular file");
    refused("http", "null", "a character device");
    refused("http", "directory", "a directory");
    refused("http", "memory", "a memory file");
    refused("http", "pipe", "a pipe");
    refused("http", "epoll", "a descriptor that is neither a socket nor a file");
    refused("http", "UDP", "a datagram socket");
    refused("http", "unix datagrams", "a datagram socket");
    refused("http", "connected", "a stream socket that is not listening");
    refused("http", "deaf", "a stream socket that is not listening");
    refused("http", "seqpacket", "a sequential-packet socket");
    refused("admin", "UDP", "a datagram socket");
    refused("admin", "pipe", "a pipe");
}

TEST_F(MalformedInheritance, of_a_channel_without_a_predecessor_is_refused) {
    const InheritedState inheritance{
        {{"channel", "seqpacket"}}, {}, {"the inherited 'channel' does not begin with a hello"}};
    expect_refused(inheritance);
    things_.say_on_the_seqpacket("no message at all");
    expect_refused(inheritance);
}

const InheritedState unwanted[] = {
    {{{"gopher", "other listener"}}, {}, {"'gopher' (a stream socket listening on 127.0.0.1:"}},
    {{{"gopher", "file"}}, {}, {"'gopher' (a regular file) means nothing to this version: closed"}},
    {{{"gopher", "null"}}, {}, {"'gopher' (a character device) means nothing"}},
    {{{"gopher", "memory"}}, {}, {"'gopher' (a memory file) means nothing"}},
    {{{"gopher", "pipe"}}, {}, {"'gopher' (a pipe) means nothing"}},
    {{{"gopher", "epoll"}}, {}, {"'gopher' (a descriptor that is neither a socket nor a file)"}},
    {{{"gopher", "UDP"}}, {}, {"'gopher' (a datagram socket) means nothing"}},
    {{{"gopher", "connected"}}, {}, {"'gopher' (a stream socket that is not listening) means"}},
    {{{"gopher", "seqpacket"}}, {}, {"'gopher' (a sequential-packet socket) means nothing"}},
    {{{"", "UDP"}}, {}, {"'' (a datagram socket) means nothing"}},
    {{{"unknown", "UDP"}}, {}, {"'unknown' (a datagram socket) means nothing"}},
    {{{"some.socket", "deaf"}}, {}, {"'some.socket' (a stream socket that is not listening)"}},
    {{{"a", "pipe"}, {"http", "listener"}, {"b", "UDP"}}, {}, {"'a' (a pipe)", "'b' (a datagram"}},
    {{{"ledger", "file"}},
     {},
     {"an inherited 'ledger' is a regular file that this version cannot"}},
    {{{"ledger", "memory"}}, {}, {"an inherited 'ledger' is a memory file that this version"}},
    {{{"ledger", "pipe"}}, {}, {"an inherited 'ledger' is a pipe that this version cannot read"}},
    {{{"ledger", "other listener"}}, {}, {"an inherited 'ledger' is a stream socket listening on"}},
    {{{"channel", "pipe"}}, {}, {"an inherited 'channel' is a pipe: closed"}},
    {{{"channel", "UDP"}}, {}, {"an inherited 'channel' is a datagram socket: closed"}},
    {{{"channel", "other listener"}}, {}, {"an inherited 'channel' is a stream socket listening"}},
    {{{"channel", "connected"}}, {}, {"an inherited 'channel' is a stream socket that is not"}},
    {{{"channel", "unconnected seqpacket"}},
     {},
     {"an inherited 'channel' holds nothing that this"}},
    // nothing to warn of
    {{{"http", "listener"}, {"http", "listener"}}, {}, {}},
    {{}, {{"LISTEN_FDS", "0"}, {"LISTEN_PID", std::string(ProcessOptions::own_pid)}}, {}},
    {{}, {{"LISTEN_PIDFDID", "12"}}, {}},
};

TEST_F(MalformedInheritance, of_what_nobody_wants_is_warned_about_and_closed) {
    for (const auto& inheritance : unwanted) expect_served(inheritance);
}

}  // namespace
}  // namespace handover::test
