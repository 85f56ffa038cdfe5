@echo off
rem build demo | test | bench cpu | bench micro | pack | format | setup [arguments for the program that is run]
setlocal
cd /d "%~dp0"

set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
rem No compiler or build process outlives a command.
set MSBUILDDISABLENODEREUSE=1
set UseSharedCompilation=false
set DOTNET_CLI_USE_MSBUILD_SERVER=0
rem paket.dependencies reads the packages here, so this is where they must be put.
set "NUGET_PACKAGES=%USERPROFILE%\.nuget\packages"

set "command=%~1"
for %%c in (setup demo test bench pack format) do if "%command%"=="%%c" goto setup
if "%command%"=="gpu-bundle" echo gpu-bundle makes a bundle for Linux, on Linux: ./build.sh gpu-bundle 1>&2 & exit /b 2
echo usage: build demo ^| test ^| bench cpu ^| bench micro ^| pack ^| format ^| setup 1>&2
exit /b 2

:setup
rem Skipped when the last set-up saw these very pins and this machine's package folder is still there.
if not exist artifacts mkdir artifacts
copy /b /y paket.lock+.config\dotnet-tools.json artifacts\setup.now >nul
fc /b artifacts\setup.now artifacts\setup.stamp >nul 2>&1 && if exist "%NUGET_PACKAGES%\ilgpu" goto %command%_
call dotnet tool restore || exit /b 1
call dotnet restore eng/feed.proj || exit /b 1
call dotnet paket restore || exit /b 1
copy /y artifacts\setup.now artifacts\setup.stamp >nul
goto %command%_

:setup_
exit /b 0

:demo_
dotnet run -c Release --project Samples/Quickstart -- %2 %3 %4 %5 %6 %7 %8 %9
exit /b %errorlevel%

:test_
dotnet build -c Release --nologo -v quiet FlashGen.sln || exit /b 1
dotnet run -c Release --no-build --project Tests -- %2 %3 %4 %5 %6 %7 %8 %9
exit /b %errorlevel%

:bench_
rem The peers are large, so they have pins of their own, in Bench.
copy /b /y Bench\paket.lock+.config\dotnet-tools.json artifacts\setup-Bench.now >nul
fc /b artifacts\setup-Bench.now artifacts\setup-Bench.stamp >nul 2>&1 && if exist "%NUGET_PACKAGES%\scottplot" goto bench_run
call dotnet restore eng/feed.proj -p:Lock=Bench/paket.lock || exit /b 1
pushd Bench
call dotnet paket restore || exit /b 1
popd
copy /y artifacts\setup-Bench.now artifacts\setup-Bench.stamp >nul
:bench_run
dotnet run -c Release --project Bench -- %2 %3 %4 %5 %6 %7 %8 %9
exit /b %errorlevel%

:pack_
dotnet pack -c Release FlashGen.sln %2 %3 %4 %5 %6 %7 %8 %9
exit /b %errorlevel%

:format_
dotnet csharpier check . || exit /b 1
dotnet fantomas --check .
exit /b %errorlevel%
