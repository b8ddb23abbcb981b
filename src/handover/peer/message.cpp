// SPDX-License-Identifier: MIT
#include "handover/peer/message.h"

#include "handover/base/parse_number.h"

#include <algorithm>
#include <cstddef>

namespace handover {
namespace {

constexpr std::uint32_t magic = 0x31564f48;  // "HOV1"
constexpr std::size_t header_size = 16;
constexpr std::size_t field_header_size = 4;

template <typename Number>
void put(std::string& bytes, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i)
        bytes.push_back(static_cast<char>(number >> (8 * i) & 0xff));
}

/// Reads a little-endian number and moves on. The caller has checked that the bytes are there.
template <typename Number>
Number take(std::string_view& bytes) {
    Number number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i)
        number = static_cast<Number>(
            number | static_cast<Number>(static_cast<unsigned char>(bytes[i])) << (8 * i));
    bytes.remove_prefix(sizeof number);
    return number;
}

bool known(std::uint16_t type) {
    return type >= static_cast<std::uint16_t>(Message::Type::hello) &&
           type <= static_cast<std::uint16_t>(Message::Type::restarting);
}

/// The oldest protocol version that knows a message of this type.
std::uint16_t since_version(Message::Type type) {
    if (type >= Message::Type::promoted) return 3;
    return type >= Message::Type::connections ? 2 : 1;
}

}  // namespace

std::string_view Message::field(Tag tag) const {
    for (const auto& [candidate, value] : fields)
        if (candidate == tag) return value;
    return {};
}

std::uint64_t Message::number(Tag tag) const {
    return to_number<std::uint64_t>(field(tag)).value_or(0);
}

std::string encode(const Message& message) {
    std::string body;
    for (const auto& [tag, value] : message.fields) {
        const auto length = static_cast<std::uint16_t>(std::min<std::size_t>(value.size(), 65535));
        put(body, static_cast<std::uint16_t>(tag));
        put(body, length);
        body.append(value, 0, length);
    }
    std::string bytes;
    put(bytes, magic);
    put(bytes, since_version(message.type));
    put(bytes, static_cast<std::uint16_t>(message.type));
    put(bytes, static_cast<std::uint32_t>(body.size()));
    put(bytes, std::uint32_t{0});
    return bytes + body;
}

std::optional<Message> decode(std::string_view bytes) {
    if (bytes.size() < header_size || take<std::uint32_t>(bytes) != magic) return std::nullopt;
    const auto version = take<std::uint16_t>(bytes);
    const auto type = take<std::uint16_t>(bytes);
    const auto length = take<std::uint32_t>(bytes);
    take<std::uint32_t>(bytes);  // reserved: written as 0, not looked at
    if (version == 0 || version > protocol_version || !known(type) || length != bytes.size())
        return std::nullopt;
    Message message;
    message.type = static_cast<Message::Type>(type);
    while (!bytes.empty()) {
        if (bytes.size() < field_header_size) return std::nullopt;
        const auto tag = take<std::uint16_t>(bytes);
        const auto size = take<std::uint16_t>(bytes);
        if (bytes.size() < size) return std::nullopt;
        message.fields.emplace_back(static_cast<Message::Tag>(tag), bytes.substr(0, size));
        bytes.remove_prefix(size);
    }
    return message;
}

}  // namespace handover
