// SPDX-License-Identifier: MIT
// How the files below --root are answered: what RFC 9110 says about representations, conditions,
// ranges and codings, byte by byte over the wire.

#include "http/http_date.h"
#include "process/served_files_fixture.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

constexpr time_t long_ago = 1000000000;
constexpr const char* date_of_long_ago = "Sun, 09 Sep 2001 01:46:40 GMT";

class FileResponses : public ServedFiles {
  protected:
    FileResponses() {
        put("digits.txt", "0123456789");
        put("empty", "");
        put("dir/index.html", "index");
        put("page.html", "a plain page");
        put("page.html.br", "br");
        put("page.html.gz", "gzip");
    }

    void put(const std::string& name, const std::string& text, time_t time = long_ago) const {
        fs::create_directories((root_ / name).parent_path());
        write(root_ / name, text);
        set_time(root_ / name, time);
    }
    [[nodiscard]] static std::string tag_of(const Daemon& daemon, const std::string& target,
                                            const std::string& headers = "") {
        return ask(daemon, target, headers).header("ETag").value();
    }
};

TEST_F(FileResponses, say_what_there_is_and_of_when) {
    const Daemon daemon(directory_, serving_root());
    const auto response = ask(daemon, "/digits.txt");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "0123456789");
    EXPECT_EQ(response.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(response.header("Content-Length"), "10");
    EXPECT_EQ(response.header("Last-Modified"), date_of_long_ago);
    EXPECT_EQ(response.header("Accept-Ranges"), "bytes");
    EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(response.header("ETag").value_or("").starts_with('"')) << response.head;
    EXPECT_TRUE(response.header("Date").value_or("").ends_with(" GMT")) << response.head;
    for (const auto* name : {"Vary", "Content-Encoding", "Cache-Control"})
        EXPECT_FALSE(response.header(name)) << name;
    EXPECT_EQ(ask(daemon, "/dir/").header("Content-Type"), "text/html; charset=utf-8");
}

TEST_F(FileResponses, have_another_tag_for_another_state) {
    const Daemon daemon(directory_, serving_root());
    const auto first = tag_of(daemon, "/digits.txt");
    EXPECT_EQ(tag_of(daemon, "/digits.txt"), first);
    put("digits.txt", "0123456789", long_ago + 1);
    const auto later = tag_of(daemon, "/digits.txt");
    EXPECT_NE(later, first);
    put("digits.txt", "012345678", long_ago + 1);
    EXPECT_NE(tag_of(daemon, "/digits.txt"), later);
}

TEST_F(FileResponses, are_never_modified_in_the_future) {
    put("digits.txt", "0123456789", 4000000000);
    const Daemon daemon(directory_, serving_root());
    const auto response = ask(daemon, "/digits.txt");
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto time = http::parse_http_date(response.header("Last-Modified").value_or(""), now);
    ASSERT_TRUE(time) << response.head;
    EXPECT_LE(*time, now);
}

/// Without what is another in the next second.
std::vector<std::string> lines_of_head(const RawResponse& response) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < response.head.size();) {
        const auto end = response.head.find("\r\n", begin);
        const auto line = response.head.substr(begin, end - begin);
        if (!line.starts_with("Date: ")) lines.push_back(line);
        begin = end + 2;
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

TEST_F(FileResponses, to_HEAD_have_the_head_of_those_to_GET) {
    put("large", std::string(100000, 'x'));
    const Daemon daemon(directory_, serving_root({"--cache-control", "no-cache"}));
    RawClient client(daemon.address(), timeout);
    const auto tag = tag_of(daemon, "/digits.txt");
    const std::vector<std::pair<std::string, std::string>> table{
        {"/digits.txt", ""},
        {"/empty", ""},
        {"/large", ""},
        {"/dir/", ""},
        {"/dir", ""},
        {"/page.html", "Accept-Encoding: gzip, br\r\n"},
        {"/digits.txt", "If-None-Match: " + tag + "\r\n"},
        {"/digits.txt", "If-Match: \"other\"\r\n"}};
    for (const auto& [target, headers] : table) {
        SCOPED_TRACE(testing::Message() << target << " " << headers);
        client.send(request("GET", target, headers));
        const auto get = client.receive();
        client.send(request("HEAD", target, headers));
        const auto head = client.receive(/*to_head=*/true);
        auto expected = lines_of_head(get);
        if (get.status >= 300 && !get.header("Accept-Ranges"))  // httplib says it in every HEAD
            expected.insert(expected.begin(), "Accept-Ranges: bytes");
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(lines_of_head(head), expected);
    }
    client.send(request("HEAD", "/digits.txt", "Range: bytes=0-1\r\n"));
    EXPECT_EQ(client.receive(/*to_head=*/true).status, 200) << "ranges are for GET";
    EXPECT_EQ(client.get("/digits.txt").body, "0123456789") << "the connection goes on";
}

struct Conditional {
    std::string headers;  ///< "TAG" stands for that of the file
    int status;
};

const std::vector<Conditional> conditionals{
    {"If-None-Match: TAG", 304},
    {"If-None-Match: W/TAG", 304},
    {"If-None-Match: \"other\", TAG", 304},
    {"If-None-Match: \"other\"\r\nIf-None-Match: TAG", 304},
    {"If-None-Match: *", 304},
    {"If-None-Match: \"other\"", 200},
    {"If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT", 304},
    {"If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT", 304},
    {"If-Modified-Since: Sun Sep  9 01:46:40 2001", 304},
    {"If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT", 200},
    {"If-Modified-Since: 1000000000", 200},
    {"If-None-Match: \"other\"\r\nIf-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT", 200},
    {"If-Match: TAG", 200},
    {"If-Match: *", 200},
    {"If-Match: W/TAG", 412},
    {"If-Match: \"other\"", 412},
    {"If-Match: \"other\"\r\nIf-None-Match: TAG", 412},
    {"If-Match: TAG\r\nIf-None-Match: TAG", 304},
    {"If-Unmodified-Since: Sun, 09 Sep 2001 01:46:40 GMT", 200},
    {"If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT", 412},
    {"If-Match: TAG\r\nIf-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT", 200},
    {"Range: bytes=0-1\r\nIf-Range: TAG", 206},
    {"Range: bytes=0-1\r\nIf-Range: \"other\"", 200},
    {"Range: bytes=0-1\r\nIf-Range: W/TAG", 200},
    {"Range: bytes=0-1\r\nIf-Range: Sun, 09 Sep 2001 01:46:40 GMT", 206},
    {"Range: bytes=0-1\r\nIf-Range: Mon, 10 Sep 2001 01:46:40 GMT", 200},
    {"Range: bytes=20-\r\nIf-Range: \"other\"", 200},
    {"Range: bytes=20-\r\nIf-None-Match: TAG", 304},
    {"Range: bytes=0-1\r\nIf-Match: \"other\"", 412},
};

TEST_F(FileResponses, depend_on_the_conditions_of_the_request) {
    const Daemon daemon(directory_, serving_root({"--cache-control", "max-age=60"}));
    const auto tag = tag_of(daemon, "/digits.txt");
    RawClient client(daemon.address(), timeout);
    for (const auto& [headers, status] : conditionals) {
        SCOPED_TRACE(headers);
        auto text = headers;
        for (auto at = text.find("TAG"); at != std::string::npos; at = text.find("TAG", at + 3))
            text.replace(at, 3, tag);
        client.send(request("GET", "/digits.txt", text + "\r\n"));
        const auto response = client.receive();
        EXPECT_EQ(response.status, status);
        if (status == 304) {
            EXPECT_EQ(response.header("ETag"), tag);
            EXPECT_EQ(response.header("Cache-Control"), "max-age=60");
            for (const auto* name : {"Content-Length", "Content-Type", "Content-Encoding"})
                EXPECT_FALSE(response.header(name)) << name;
        } else if (status == 412) {
            EXPECT_FALSE(response.header("Cache-Control"));
        } else {
            EXPECT_EQ(response.body, status == 206 ? "01" : "0123456789");
        }
    }
    EXPECT_EQ(client.get("/digits.txt").body, "0123456789") << "the connection goes on";
}

struct Ranged {
    std::string range;
    int status;
    std::string content_range;
    std::string body;
};

const std::vector<Ranged> ranged{
    {"bytes=0-3", 206, "bytes 0-3/10", "0123"},
    {"bytes=4-", 206, "bytes 4-9/10", "456789"},
    {"bytes=0-", 206, "bytes 0-9/10", "0123456789"},
    {"bytes=-4", 206, "bytes 6-9/10", "6789"},
    {"bytes=-100", 206, "bytes 0-9/10", "0123456789"},
    {"bytes=8-1000000", 206, "bytes 8-9/10", "89"},
    {"bytes=9-9", 206, "bytes 9-9/10", "9"},
    {"bytes=0-3,2-5", 206, "bytes 0-5/10", "012345"},
    {"bytes=0-,0-,0-,0-,0-,0-,0-,0-", 206, "bytes 0-9/10", "0123456789"},
    {"bytes=3-4,20-", 206, "bytes 3-4/10", "34"},
    {"bytes=10-", 416, "bytes */10", ""},
    {"bytes=100-200", 416, "bytes */10", ""},
    {"bytes=-0", 416, "bytes */10", ""},
    // What is not understood is ignored.
    {"bytes=5-4", 200, "", "0123456789"},
    {"bytes=a-b", 200, "", "0123456789"},
    {"bytes=0-99999999999999999999", 200, "", "0123456789"},
    {"lines=0-1", 200, "", "0123456789"},
    {"none", 200, "", "0123456789"}};

TEST_F(FileResponses, are_given_in_the_ranges_that_they_have) {
    const Daemon daemon(directory_, serving_root());
    RawClient client(daemon.address(), timeout);
    for (const auto& [range, status, content_range, body] : ranged) {
        SCOPED_TRACE(range);
        client.send(request("GET", "/digits.txt", "Range: " + range + "\r\n"));
        const auto response = client.receive();
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.header("Content-Range").value_or(""), content_range);
        if (status != 416) {
            EXPECT_EQ(response.body, body);
        }
        EXPECT_EQ(client.get("/digits.txt").body, "0123456789") << "the connection goes on";
    }
    client.send(request("GET", "/empty", "Range: bytes=0-\r\n"));
    EXPECT_EQ(client.receive().header("Content-Range"), "bytes */0");
    const auto nine = ask(daemon, "/digits.txt", "Range: bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-\r\n");
    EXPECT_EQ(nine.status, 400) << "no reader of documents asks for so many";
}

TEST_F(FileResponses, have_a_part_for_each_of_several_ranges) {
    const Daemon daemon(directory_, serving_root());
    const auto response = ask(daemon, "/digits.txt", "Range: bytes=0-1,-2, 4-4\r\n");
    EXPECT_EQ(response.status, 206);
    EXPECT_FALSE(response.header("Content-Range"));
    const auto type = response.header("Content-Type").value_or("");
    const std::string prefix = "multipart/byteranges; boundary=";
    ASSERT_TRUE(type.starts_with(prefix)) << type;
    const auto line = "--" + type.substr(prefix.size());
    const auto part = [&](const std::string& range, const std::string& text) {
        return line + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " +
               range + "/10\r\n\r\n" + text + "\r\n";
    };
    EXPECT_EQ(response.body,
              part("0-1", "01") + part("8-9", "89") + part("4-4", "4") + line + "--\r\n");
}

TEST_F(FileResponses, of_large_files_have_the_ranges_where_they_are) {
    std::string text(300000, 'x');
    for (std::size_t i = 0; i < text.size(); i += 7) text[i] = static_cast<char>('a' + i % 26);
    put("large", text);
    const Daemon daemon(directory_, serving_root());
    EXPECT_EQ(ask(daemon, "/large").body, text);
    EXPECT_EQ(ask(daemon, "/large", "Range: bytes=99999-\r\n").body, text.substr(99999));
    const auto two = ask(daemon, "/large", "Range: bytes=0-99999,150000-\r\n").body;
    EXPECT_NE(two.find(text.substr(0, 100000) + "\r\n--"), std::string::npos);
    EXPECT_NE(two.find(text.substr(150000) + "\r\n--"), std::string::npos);
}

struct Coded {
    std::optional<std::string> accepted;
    std::string body;
    std::string coding = {};
};

const std::vector<Coded> coded{{std::nullopt, "a plain page"},
                               {"", "a plain page"},
                               {"identity", "a plain page"},
                               {"zstd", "a plain page"},
                               {"br;q=0, gzip;q=0", "a plain page"},
                               {"gzip;q=0.5, identity", "a plain page"},
                               {"gzip", "gzip", "gzip"},
                               {"gzip, deflate, br, zstd", "br", "br"},
                               {"br;q=0.5, gzip", "gzip", "gzip"},
                               {"*", "br", "br"},
                               {"identity;q=0, gzip;q=0.001", "gzip", "gzip"}};

TEST_F(FileResponses, are_packed_as_the_client_likes_it) {
    const Daemon daemon(directory_, serving_root());
    std::map<std::string, std::string> tags;
    for (const auto& [accepted, body, coding] : coded) {
        SCOPED_TRACE(accepted.value_or("no header"));
        const auto response =
            ask(daemon, "/page.html", accepted ? "Accept-Encoding: " + *accepted + "\r\n" : "");
        EXPECT_EQ(response.body, body);
        EXPECT_EQ(response.header("Content-Encoding").value_or(""), coding);
        EXPECT_EQ(response.header("Content-Type"), "text/html; charset=utf-8");
        EXPECT_EQ(response.header("Vary"), "Accept-Encoding");
        tags[response.header("ETag").value()] = body;
    }
    EXPECT_EQ(tags.size(), 3U) << testing::PrintToString(tags);
    const std::string gzip = "Accept-Encoding: gzip\r\n";
    const auto part = ask(daemon, "/page.html", gzip + "Range: bytes=1-2\r\n");
    EXPECT_EQ(part.body, "zi");
    EXPECT_EQ(part.header("Content-Range"), "bytes 1-2/4");
    EXPECT_EQ(part.header("Content-Encoding"), "gzip");
    const auto has_plain = "If-None-Match: " + tag_of(daemon, "/page.html") + "\r\n";
    EXPECT_EQ(ask(daemon, "/page.html", gzip + has_plain).status, 200);
    const auto has_gzip = "If-None-Match: " + tag_of(daemon, "/page.html", gzip) + "\r\n";
    EXPECT_EQ(ask(daemon, "/page.html", gzip + has_gzip).status, 304);
    EXPECT_EQ(ask(daemon, "/page.html", gzip + has_gzip).header("Vary"), "Accept-Encoding");
    EXPECT_EQ(ask(daemon, "/page.html.gz").header("Content-Type"), "application/gzip");
    EXPECT_FALSE(ask(daemon, "/page.html.gz").header("Content-Encoding"));
}

TEST_F(FileResponses, are_packed_by_nobody_else) {
    put("text.txt", std::string(10000, 'x'));
    put("old.css", "new", long_ago + 1);
    put("old.css.gz", "old");
    put("dir.css", "plain");
    fs::create_directory(root_ / "dir.css.gz");
    put("only.js.gz", "packed");
    write(directory_ / "secret.gz", "secret");
    put("out.css", "plain");
    fs::create_symlink("../secret.gz", root_ / "out.css.gz");
    const Daemon daemon(directory_, serving_root());
    const auto with_gzip = [&](const std::string& target) {
        return ask(daemon, target, "Accept-Encoding: gzip, br\r\n");
    };
    for (const auto* target : {"/text.txt", "/old.css", "/dir.css", "/out.css"}) {
        SCOPED_TRACE(target);
        const auto response = with_gzip(target);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.header("Content-Length"), std::to_string(response.body.size()));
        EXPECT_FALSE(response.header("Content-Encoding"));
        EXPECT_FALSE(response.header("Vary"));
        EXPECT_EQ(response.body, ask(daemon, target).body);
    }
    EXPECT_EQ(with_gzip("/old.css").body, "new");
    EXPECT_EQ(with_gzip("/only.js").status, 404);
}

TEST_F(FileResponses, say_to_caches_what_the_operator_says) {
    put("assets/app.js", "app");
    const auto config = directory_ / "handoverd.conf";
    write(config, "cache-control=no-cache\ncache-control=/assets/=max-age=31536000, immutable\n");
    const Daemon daemon(directory_, serving_root({"--config", config}));
    EXPECT_EQ(ask(daemon, "/digits.txt").header("Cache-Control"), "no-cache");
    EXPECT_EQ(ask(daemon, "/assets/app.js").header("Cache-Control"), "max-age=31536000, immutable");
    for (const auto* headers : {"Range: bytes=20-\r\n", "If-Match: \"other\"\r\n"})
        EXPECT_FALSE(ask(daemon, "/digits.txt", headers).header("Cache-Control")) << headers;
    EXPECT_FALSE(ask(daemon, "/nothing").header("Cache-Control"));
    EXPECT_FALSE(ask(daemon, "/hello").header("Cache-Control"));
}

TEST_F(FileResponses, to_a_directory_without_its_slash_lead_there) {
    put("evil.example/index.html", "harmless");
    const Daemon daemon(directory_, serving_root());
    const std::vector<std::pair<std::string, std::string>> table{
        {"/dir", "/dir/"},
        {"/dir?a=b&c=//d", "/dir/?a=b&c=//d"},
        {"//evil.example", "/evil.example/"},
        {"/%2fevil.example", "/evil.example/"},
        {"/./dir", "/./dir/"}};
    for (const auto& [target, location] : table) {
        const auto response = ask(daemon, target);
        EXPECT_EQ(response.status, 301) << target;
        EXPECT_EQ(response.header("Location"), location) << target;
    }
    fs::remove(root_ / "dir" / "index.html");
    EXPECT_EQ(ask(daemon, "/dir").status, 404) << "nothing is listed";
    EXPECT_EQ(ask(daemon, "/dir/").status, 404);
}

TEST_F(FileResponses, are_for_GET_and_HEAD_only) {
    const Daemon daemon(directory_, serving_root());
    RawClient client(daemon.address(), timeout);
    for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
        client.send(request(method, "/digits.txt", "Content-Length: 4\r\n") + "body");
        const auto response = client.receive();
        EXPECT_EQ(response.status, 405) << method;
        EXPECT_EQ(response.header("Allow"), "GET, HEAD") << method;
        client.send(request(method, "/nothing", "Content-Length: 0\r\n"));
        EXPECT_EQ(client.receive().status, 404) << method;
    }
    EXPECT_EQ(client.get("/digits.txt").body, "0123456789") << "the connection goes on";
}

TEST_F(FileResponses, that_are_errors_are_one_line_of_text) {
    const Daemon daemon(directory_, serving_root());
    for (const auto* more : {"", "Range: bytes=0-1\r\n", "Accept-Encoding: gzip\r\n"}) {
        const auto response = ask(daemon, "/nothing", more);
        EXPECT_EQ(response.status, 404);
        EXPECT_EQ(response.body, "404 Not Found\n");
        EXPECT_EQ(response.header("Content-Type"), "text/plain");
    }
    EXPECT_EQ(ask(daemon, "/digits.txt", "Range: bytes=20-\r\n").body,
              "416 Range Not Satisfiable\n");
}

}  // namespace
}  // namespace handover::test
