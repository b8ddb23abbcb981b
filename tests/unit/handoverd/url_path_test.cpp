// SPDX-License-Identifier: MIT
#include "handoverd/files/url_path.h"

#include "handoverd/files/cache_control.h"
#include "handoverd/files/content_type.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace handoverd {
namespace {

TEST(FileName, is_what_the_path_asks_for) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"/page.html", "page.html"},
        {"/", "index.html"},
        {"///", "index.html"},
        {"/dir/", "dir/index.html"},
        {"//dir/page", "dir/page"},
        {"/a/../b", "a/../b"},
        {"/./a", "./a"},
        {"/a.b/c", "a.b/c"},
        {"/..", ".."},
        {"/.well-known/acme-challenge/x", ".well-known/acme-challenge/x"},
        {"/.well-known/", ".well-known/index.html"}};
    for (const auto& [path, name] : table) EXPECT_EQ(name_asked_for(path), name) << path;
}

TEST(FileName, of_what_is_hidden_is_none) {
    for (const char* path :
         {"/.git/config", "/.htpasswd", "/dir/.env", "/dir/../.git/config", "/.git", "//.git",
          "/.git/", "/...", "/..git", "/.well-known/.secret", "/dir/.well-known/x",
          "/.well-known-not/x", "/.well-known/../.git/config", "/a/.well-known"})
        EXPECT_FALSE(name_asked_for(path)) << path;
}

TEST(FileName, is_in_no_path_that_is_none) {
    for (const auto& path : {std::string(), std::string("*"), std::string("page"),
                             std::string("http://host/page"), std::string("/page\0.html", 11)})
        EXPECT_FALSE(name_asked_for(path)) << path;
}

TEST(FileName, with_a_slash_leads_to_no_other_host) {
    const std::vector<std::array<std::string, 3>> table{
        {"dir", "/dir", "/dir/"},
        {"dir", "//dir", "/dir/"},
        {"evil.example", "//evil.example", "/evil.example/"},
        {"\\evil.example", "/\\evil.example", "/%5Cevil.example/"},
        {"a b", "/a%20b", "/a%20b/"},
        {"a\r\nSet-Cookie: b", "/a%0d%0aSet-Cookie:%20b", "/a%0D%0ASet-Cookie%3A%20b/"},
        {"\xc3\xa4", "/%c3%a4", "/%C3%A4/"},
        {"a/b", "/a/b?q=//evil.example/&r=%20", "/a/b/?q=//evil.example/&r=%20"},
        {"a", "/a?\"<b>\\\xff", "/a/?%22%3Cb%3E%5C%FF"},
        {"a?b", "/a%3fb?c", "/a%3Fb/?c"}};
    for (const auto& [name, target, location] : table)
        EXPECT_EQ(location_with_slash(name, target), location) << target;
}

TEST(ContentType, is_that_of_the_ending) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"a.html", "text/html; charset=utf-8"},
        {"A.HTM", "text/html; charset=utf-8"},
        {"a.css", "text/css; charset=utf-8"},
        {"a.min.js", "text/javascript; charset=utf-8"},
        {"a.mjs", "text/javascript; charset=utf-8"},
        {"a.txt", "text/plain; charset=utf-8"},
        {"a.md", "text/markdown; charset=utf-8"},
        {"a.json", "application/json"},
        {"a.js.map", "application/json"},
        {"a.webmanifest", "application/manifest+json"},
        {"a.xml", "application/xml"},
        {"a.svg", "image/svg+xml"},
        {"a.png", "image/png"},
        {"a.JPG", "image/jpeg"},
        {"a.avif", "image/avif"},
        {"a.webp", "image/webp"},
        {"a.ico", "image/x-icon"},
        {"a.wasm", "application/wasm"},
        {"a.woff2", "font/woff2"},
        {"a.mp4", "video/mp4"},
        {"a.7z", "application/x-7z-compressed"},
        {"a.tar.gz", "application/gzip"},
        {"a.zst", "application/zstd"}};
    for (const auto& [name, type] : table) EXPECT_EQ(content_type_of(name), type) << name;
    for (const char* name :
         {"", "html", "a", "a.", "a.sh", "a.html.orig", "dir.html/a", ".", "a.htmlx"})
        EXPECT_STREQ(content_type_of(name), "application/octet-stream") << name;
}

TEST(CacheControl, of_a_file_is_what_the_first_rule_for_it_says) {
    const CacheControl rules({"no-cache", ".min.js=max-age=60",
                              "/assets/=max-age=31536000, immutable", ".js = max-age=10",
                              "/assets/late=no-store", "public"});
    const std::vector<std::pair<std::string, std::string>> table{
        {"index.html", "no-cache"},
        {"a.js", "max-age=10"},
        {"a.min.js", "max-age=60"},
        {"assets/a.min.js", "max-age=60"},
        {"assets/a.js", "max-age=31536000, immutable"},
        {"assets/late", "max-age=31536000, immutable"},
        {"dir/assets/a.css", "no-cache"},
        {"js", "no-cache"}};
    for (const auto& [name, value] : table) EXPECT_EQ(rules.value_for(name), value) << name;
    EXPECT_EQ(CacheControl().value_for("index.html"), "");
    EXPECT_EQ(CacheControl({".js=no-cache"}).value_for("index.html"), "");
}

TEST(CacheControl, is_a_list_of_directives) {
    for (const char* rule : {"no-cache", "public, max-age=3600", "private=\"set-cookie\"",
                             "max-age=1,s-maxage=2", "stale-while-revalidate=60", ".a=x", "/=x"})
        EXPECT_NO_THROW(CacheControl({rule})) << rule;
    for (const char* rule :
         {"", " ", ",", "no-cache,", "max age", "max-age:60", "max-age=", "a=\"b", ".js",
          ".js=", "/assets/", "no-cache\r\nX: y", "a=\"\n\"", "=60", "a=b=c", "caf\xc3\xa9"})
        EXPECT_THROW(CacheControl({rule}), std::invalid_argument) << rule;
}

}  // namespace
}  // namespace handoverd
