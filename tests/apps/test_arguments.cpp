// Splitting a command line: one value an option, and a place for every word.
#include <doctest/doctest.h>

#include "apps/options/arguments.h"
#include "tests/apps/calls.h"

using namespace basin;
using namespace basin::apps;
using test::parse_failure;
using test::parsed;
using test::train_config;
using test::train_failure;
using test::value_of;

TEST_CASE("an option takes one value, and a second one is named") {
  CHECK(train_failure({"--epochs", "1", "5"}) == "2: --epochs takes one value ('1'); '5' is a second one");
  CHECK(train_failure({"--augment", "basic", "cutout", "--lr", "1"}) ==
        "2: --augment takes one value ('basic'); 'cutout' is a second one");
  CHECK(train_failure({"--lr", "0.1", "0.2"}) == "2: --lr takes one value ('0.1'); '0.2' is a second one");
  CHECK(train_failure({"--lr=0.1", "0.1"}) == "2: --lr takes one value ('0.1'); '0.1' is a second one");
  CHECK(train_failure({"--run", "a", "b"}) == "2: --run takes one value ('a'); 'b' is a second one");
  // What the shell makes of an unquoted train-*.tar.
  CHECK(train_failure({"--data", "webdataset", "--train-shards", "0.tar", "1.tar", "2.tar", "3.tar", "4.tar",
                       "--epochs", "1"}) ==
        "2: --train-shards takes one value ('0.tar'); behind it stand '1.tar', '2.tar', '3.tar' and 1 more: "
        "keep a pattern or a list together by quotation marks");
  CHECK(train_failure({"--nesterov", "true"}) == "2: --nesterov takes no value, got 'true' too");
  CHECK(train_config({"--nesterov=false"}).optimizer.nesterov == false);
}

TEST_CASE("a word behind an option's value is the command's") {
  CHECK(parsed("info", {"--data", "cifar100", "resnet20"}).words == test::Words{"resnet20"});
  CHECK(parsed("bench", {"--rounds", "1", "ops"}).words == test::Words{"ops"});
  CHECK(value_of(parsed("bench", {"--rounds", "1", "ops"}), "rounds") == "1");
  CHECK(parsed("data", {"--limit", "3", "show", "--data", "cifar10"}).words == test::Words{"show", ""});
  CHECK(parse_failure("info", {"--data", "cifar100", "resnet20", "resnet32"}) ==
        "2: unexpected argument 'resnet32' besides 'resnet20'");
  CHECK(parsed("info", {"--", "--data"}).words == test::Words{"--data"});
}

TEST_CASE("values are taken as they stand") {
  CHECK(train_config({"--run", "[x,y]"}).run.dir == "[x,y]");
  CHECK(train_config({"--run", "{a,b}"}).run.dir == "{a,b}");
  CHECK(train_config({"--name", "a=b"}).run.name == "a=b");
  CHECK(train_config({"--name=a=b"}).run.name == "a=b");
  CHECK(train_config({"--name="}).run.name.empty());
  CHECK(train_config({"--run", "-1"}).run.dir == "-1");
  CHECK(train_config({"--run=--force"}).run.dir == "--force");
  CHECK(train_config({"--sharpness", "gam", "--alpha", "-0.5"}).sharpness.alpha == -0.5);
  CHECK(train_failure({"--run", "--force"}) ==
        "2: --run needs a value: a directory; '--force' is an option (a value like it is joined by =)");
  CHECK(train_failure({"--run", "-q"}).starts_with("2: --run needs a value"));
  CHECK(train_failure({"--lr"}) == "2: --lr needs a value: a number >= 0");
  for (const test::Words& out : {test::Words{"-o", "f.npz"}, {"-of.npz"}, {"-o=f.npz"}, {"--out", "f.npz"}}) {
    test::Words words = {"--weights", "w.safetensors", "--model", "mlp"};
    words.insert(words.end(), out.begin(), out.end());
    CHECK(value_of(parsed("export", words), "out") == "f.npz");
  }
}

TEST_CASE("an option given twice is refused, unless both say the same") {
  CHECK(train_failure({"--lr", "0.2", "--epochs", "3", "--lr=0.3"}) ==
        "2: --lr is given twice, '0.2' and '0.3': give it once");
  CHECK(train_config({"--lr", "0.2", "--lr", "0.2"}).optimizer.lr == 0.2);
  CHECK(train_failure({"--nesterov", "--no-nesterov"}).starts_with("2: --nesterov is given twice"));
  CHECK(train_config({"-q", "--quiet"}).output.quiet);
}

TEST_CASE("dashes too many or too few are no spelling of an option") {
  CHECK(train_failure({"---lr", "1"}) == "2: unknown option '---lr'; did you mean --lr?");
  CHECK(train_failure({"-lr", "1"}) == "2: unknown option '-lr'; did you mean --lr?");
  CHECK(train_failure({"-qx"}).starts_with("2: unknown option '-qx'"));
  CHECK(train_failure({"--no-lr"}).starts_with("2: unknown option '--no-lr'"));
  CHECK(train_failure({"--no-quiet"}).starts_with("2: unknown option '--no-quiet'"));
  CHECK(train_failure({"--no-nesterov=true"}) == "2: --no-nesterov takes no value");
  const test::Words both = {"-qh"};
  CHECK_FALSE(test::train_call(both).print.empty());
}
