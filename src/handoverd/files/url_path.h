// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace handoverd {

/// The name below the root that the path of a request, already decoded, asks for: "/dir/" is
/// "dir/index.html". nullopt if there cannot be such a file, or it is hidden: a part of the name
/// begins with a dot, as ".git" and ".htpasswd" do. "/.well-known/" is not hidden (RFC 8615). What
/// a symbolic link leads to is not asked about: who made it has decided that.
[[nodiscard]] std::optional<std::string> name_asked_for(const std::string& path);

/// Where a client that has asked for a directory without the slash at its end is sent: to the same
/// host, whatever is in the name or the query ("//host/" would be another one). `name` as above,
/// `target` as it came in the request line.
[[nodiscard]] std::string location_with_slash(std::string_view name, std::string_view target);

}  // namespace handoverd
