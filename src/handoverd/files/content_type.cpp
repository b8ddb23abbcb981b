// SPDX-License-Identifier: MIT
#include "handoverd/files/content_type.h"

#include "http/ascii.h"

#include <algorithm>
#include <array>
#include <utility>

namespace handoverd {
namespace {

constexpr const char* html = "text/html; charset=utf-8";
constexpr const char* script = "text/javascript; charset=utf-8";  // RFC 9239
constexpr const char* plain = "text/plain; charset=utf-8";
constexpr const char* json = "application/json";

constexpr std::array types = std::to_array<std::pair<std::string_view, const char*>>({
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"deb", "application/vnd.debian.binary-package"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"gz", "application/gzip"},
    {"htm", html},
    {"html", html},
    {"ico", "image/x-icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", script},
    {"json", json},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"map", json},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", script},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpd", "application/dash+xml"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tgz", "application/gzip"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ts", "video/mp2t"},
    {"ttf", "font/ttf"},
    {"txt", plain},
    {"vtt", "text/vtt; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xml", "application/xml"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
});

constexpr auto before = [](std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return handover::http::to_lower(x) < handover::http::to_lower(y);
    });
};

static_assert(std::is_sorted(types.begin(), types.end(), [](const auto& a, const auto& b) {
    return before(a.first, b.first);
}));

}  // namespace

const char* content_type_of(std::string_view name) {
    const auto dot = name.rfind('.');
    const auto slash = name.rfind('/');
    const bool has_ending =
        dot != std::string_view::npos && (slash == std::string_view::npos || slash < dot);
    const auto ending = has_ending ? name.substr(dot + 1) : std::string_view();
    const auto* const type =
        std::lower_bound(types.begin(), types.end(), ending,
                         [](const auto& each, auto wanted) { return before(each.first, wanted); });
    if (type == types.end() || before(ending, type->first)) return "application/octet-stream";
    return type->second;
}

}  // namespace handoverd
