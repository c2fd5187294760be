// Changes of a picture's colours and places, bit for bit as Pillow 9.4 does them: what the augmentation
// policies are made of.
#pragma once

#include "data/image.h"

namespace basin::data {

void invert(Image& image);  // v becomes 255 - v
/// Keeps the upper `bits` bits of each byte. Errors: ArgumentError unless 0 <= bits <= 8.
void posterize(Image& image, int bits);
/// Inverts the bytes that are `threshold` or more.
void solarize(Image& image, double threshold);
/// Stretches each channel so that its least byte becomes 0 and its greatest 255.
void autocontrast(Image& image);
/// Makes each channel's histogram as flat as a table of bytes can (ImageOps.equalize).
void equalize(Image& image);

/// The four enhancers blend a degenerate picture (factor 0) with the picture (factor 1), and beyond: in f32,
/// clipped, the fraction cut off.
void brightness(Image& image, double factor);  // degenerate: black
void color(Image& image, double factor);       // its grey version (ITU-R 601 luma)
void contrast(Image& image, double factor);    // its mean grey, rounded half up
void sharpness(Image& image, double factor);   // smoothed by {1,1,1; 1,5,1; 1,1,1} / 13, the rim unsmoothed

/// Turns the hue by `turns` of a circle through 8-bit HSV, as torchvision's adjust_hue. Errors:
/// ArgumentError unless |turns| <= 1/2.
void shift_hue(Image& image, double turns);

/// Places, by the nearest pixel; what comes from outside is black.
void shear_x(Image& image, double slope);  // (x, y) shows what was at (x + slope y, y)
void shear_y(Image& image, double slope);
void translate(Image& image, std::int64_t right, std::int64_t down);
void rotate(Image& image, double degrees);  // counter-clockwise around the middle

}  // namespace basin::data
