// What the classes of the known data sets are called, in the order of their labels.
#pragma once

#include <string>
#include <vector>

namespace basin::data {

std::vector<std::string> mnist_classes();
std::vector<std::string> fashion_mnist_classes();
std::vector<std::string> cifar10_classes();
std::vector<std::string> cifar100_classes();  // the fine labels

}  // namespace basin::data
