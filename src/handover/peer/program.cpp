// SPDX-License-Identifier: MIT
#include "handover/peer/program.h"

#include "handover/error.h"

#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace handover {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> own_arguments() {
    std::ifstream in("/proc/self/cmdline", std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(in), {}};
    std::vector<std::string> arguments;
    for (std::size_t begin = 0, end; (end = all.find('\0', begin)) != std::string::npos;
         begin = end + 1)
        arguments.push_back(all.substr(begin, end - begin));
    if (arguments.empty())
        throw os_error("cannot read the command line from /proc/self/cmdline", ENOENT);
    return arguments;
}

bool is_this_executable(const std::string& path) {
    struct stat candidate {};
    struct stat self {};
    return ::stat(path.c_str(), &candidate) == 0 && ::stat("/proc/self/exe", &self) == 0 &&
           candidate.st_dev == self.st_dev && candidate.st_ino == self.st_ino;
}

/// The path given to execve(2): the kernel keeps it in the auxiliary vector. A manager that uses
/// fexecve(3) leaves "/dev/fd/N" there; then argv[0] is the next best witness.
std::string own_executable(const std::string& directory, const std::string& argv0) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel hands the address over as a number
    const auto* executed = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    std::array<std::string, 2> witnesses{executed ? executed : "", argv0};
    for (auto& given : witnesses) {
        if (given.find('/') == std::string::npos || given.starts_with("/dev/fd/") ||
            given.starts_with("/proc/")) {
            given.clear();
            continue;
        }
        auto path = (fs::path(directory) / given).string();
        if (is_this_executable(path)) return path;
    }
    // It has been replaced or removed in the short time since. What is there now, or will be, is
    // what a successor should be. Only the kernel's word counts here: argv[0] is what the caller
    // likes it to be.
    if (!witnesses[0].empty()) return (fs::path(directory) / witnesses[0]).string();
    std::error_code fault;
    auto path = fs::read_symlink("/proc/self/exe", fault).string();
    if (fault) throw os_error("cannot tell which executable this is", fault.value());
    constexpr std::string_view mark = " (deleted)";
    if (path.ends_with(mark)) path.resize(path.size() - mark.size());
    return path;
}

}  // namespace

Program Program::remember() {
    Program program;
    std::error_code fault;
    program.directory = fs::current_path(fault).string();
    if (fault) throw os_error("cannot tell the working directory", fault.value());
    program.arguments = own_arguments();
    program.executable = own_executable(program.directory, program.arguments.front());
    for (char** entry = environ; entry && *entry; ++entry) program.environment.emplace_back(*entry);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &program.signal_mask);
    return program;
}

}  // namespace handover
