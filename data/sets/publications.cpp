// Addresses, sizes and sums of the files that `basin data get` fetches.
#include "data/sets/fetch.h"

namespace basin::data {

const std::vector<Publication>& publications() {
  static const std::vector<Publication> all = [] {
    const std::string mnist = "https://ossci-datasets.s3.amazonaws.com/mnist/";
    const std::string fashion =
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/";
    const std::string toronto = "https://www.cs.toronto.edu/~kriz/";
    const std::string oxford = "https://www.robots.ox.ac.uk/~vgg/data/pets/data/";
    const char *train_images = "train-images-idx3-ubyte.gz", *train_labels = "train-labels-idx1-ubyte.gz";
    const char *test_images = "t10k-images-idx3-ubyte.gz", *test_labels = "t10k-labels-idx1-ubyte.gz";
    return std::vector<Publication>{
        {"fashion-mnist",
         "MIT licence (Zalando SE); cite Xiao, Rasul and Vollgraf 2017",
         {{fashion + train_images, 26421880,
           "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", "fashion-mnist"},
          {fashion + train_labels, 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
           "fashion-mnist"},
          {fashion + test_images, 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
           "fashion-mnist"},
          {fashion + test_labels, 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
           "fashion-mnist"}}},
        {"mnist",
         "cite LeCun, Bottou, Bengio and Haffner 1998",
         {{mnist + train_images, 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
           "mnist"},
          {mnist + train_labels, 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
           "mnist"},
          {mnist + test_images, 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
           "mnist"},
          {mnist + test_labels, 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
           "mnist"}}},
        {"cifar10",
         "no licence is stated; cite Krizhevsky 2009",
         {{toronto + "cifar-10-binary.tar.gz", 170052171,
           "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", "", "cifar-10-batches-bin"}}},
        {"cifar100",
         "no licence is stated; cite Krizhevsky 2009",
         {{toronto + "cifar-100-binary.tar.gz", 168513733,
           "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", "", "cifar-100-binary"}}},
        {"pets",
         "CC BY-SA 4.0; cite Parkhi, Vedaldi, Zisserman and Jawahar 2012",
         {{oxford + "annotations.tar.gz", 19173078,
           "52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91", "oxford-iiit-pet",
           "annotations"},
          {oxford + "images.tar.gz", 791918971,
           "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d", "oxford-iiit-pet", "images"}}},
        {"cars",
         "its publisher's server (ai.stanford.edu/~jkrause/cars) no longer has the files: put cars_train/, "
         "cars_test/, devkit/ and cars_test_annos_withlabels.mat from a copy that you trust into one folder "
         "and run data/tools/cars_to_csv.py in it",
         {}},
    };
  }();
  return all;
}

}  // namespace basin::data
