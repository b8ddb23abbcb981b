// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace handoverd {

/// How a file may lie beside itself, packed: "page.html.br".
struct ContentCoding {
    std::string_view name;    ///< as in Content-Encoding
    std::string_view ending;  ///< of the file
};

/// The better ones first.
inline constexpr std::array content_codings{ContentCoding{"br", ".br"},
                                            ContentCoding{"gzip", ".gz"}};

/// What the Accept-Encoding header of a client says (RFC 9110, 12.5.3).
class AcceptedCodings {
  public:
    /// `header` not given: the client says nothing, and gets files as they are. Weights that are
    /// none count as 0.
    explicit AcceptedCodings(const std::optional<std::string>& header);

    /// How much the client wants a file in this coding: from 0, which is not at all, to 1000.
    [[nodiscard]] int weight(const ContentCoding& coding) const;
    /// How much the client wants a file as it is: from 0, which is not at all, to 1000.
    [[nodiscard]] int plain_weight() const;

  private:
    std::array<std::optional<int>, content_codings.size()> weights_;
    std::optional<int> identity_;
    std::optional<int> others_;  ///< "*"
};

}  // namespace handoverd
